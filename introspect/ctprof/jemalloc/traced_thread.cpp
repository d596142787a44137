#include "introspect/ctprof/jemalloc/traced_thread.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

namespace ktstr::introspect::ctprof {
namespace {

tl::unexpected<ProbeFailure> failed(ProbeFailure failure) {
  return tl::unexpected(errno == ESRCH ? ProbeFailure::kGone : failure);
}

}  // namespace

ProbeResult<TracedThread> TracedThread::seize(pid_t tid) {
  if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) return failed(ProbeFailure::kSeize);
  return TracedThread(tid);
}

ProbeResult<void> TracedThread::interrupt() {
  if (::ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr) != 0) return failed(ProbeFailure::kInterrupt);
  return {};
}

TracedThread::TracedThread(TracedThread&& other) noexcept
    : tid_(std::exchange(other.tid_, 0)), signal_(other.signal_) {}

TracedThread& TracedThread::operator=(TracedThread&& other) noexcept {
  std::swap(tid_, other.tid_);
  std::swap(signal_, other.signal_);
  return *this;
}

TracedThread::~TracedThread() {
  let_go();
}

void TracedThread::let_go() {
  // Fails for a thread that ended, and for one that never stopped, which is let go with the tracer's end.
  if (tid_ != 0) ::ptrace(PTRACE_DETACH, tid_, nullptr, static_cast<std::uintptr_t>(signal_));
  tid_ = 0;
}

// Looks without taking (WNOWAIT): the end of a thread is its parent's to wait for, which may be this process.
ProbeResult<bool> TracedThread::has_stopped() {
  siginfo_t state{};
  if (::waitid(P_PID, static_cast<id_t>(tid_), &state, WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL) != 0)
    return tl::unexpected(ProbeFailure::kGone);
  if (state.si_pid == 0) return false;
  if (state.si_code != CLD_TRAPPED && state.si_code != CLD_STOPPED)
    return tl::unexpected(ProbeFailure::kGone);
  const bool by_signal = state.si_status >> 8 != PTRACE_EVENT_STOP;
  if (by_signal) signal_ = state.si_status & 0xff;
  return true;
}

ProbeResult<ProcessVirt> TracedThread::thread_pointer() const {
  user_regs_struct registers{};
  iovec area{&registers, sizeof registers};
  if (::ptrace(PTRACE_GETREGSET, tid_, NT_PRSTATUS, &area) != 0) return failed(ProbeFailure::kRegisters);
  if (area.iov_len != sizeof registers) return tl::unexpected(ProbeFailure::kArchitecture);
  return ProcessVirt(registers.fs_base);
}

}  // namespace ktstr::introspect::ctprof
