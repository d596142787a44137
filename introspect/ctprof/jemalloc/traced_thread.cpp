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

ProbeResult<TracedThread> TracedThread::interrupt(pid_t tid) {
  if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) return failed(ProbeFailure::kSeize);
  TracedThread thread(tid);
  if (::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) != 0) return failed(ProbeFailure::kInterrupt);
  return thread;
}

TracedThread::TracedThread(TracedThread&& other) noexcept
    : tid_(std::exchange(other.tid_, 0)), signal_(other.signal_) {}

TracedThread& TracedThread::operator=(TracedThread&& other) noexcept {
  std::swap(tid_, other.tid_);
  std::swap(signal_, other.signal_);
  return *this;
}

TracedThread::~TracedThread() {
  // Fails for a thread that ended, and for one that never stopped, which is let go with this thread's end.
  if (tid_ != 0) ::ptrace(PTRACE_DETACH, tid_, nullptr, static_cast<std::uintptr_t>(signal_));
}

ProbeResult<bool> TracedThread::has_stopped() {
  int status = 0;
  const pid_t changed = ::waitpid(tid_, &status, __WALL | WNOHANG);
  if (changed == 0) return false;
  if (changed != tid_ || !WIFSTOPPED(status)) {
    tid_ = 0;  // it ended, and has been waited for
    return tl::unexpected(ProbeFailure::kGone);
  }
  const bool by_signal = status >> 16 != PTRACE_EVENT_STOP;
  if (by_signal) signal_ = WSTOPSIG(status);
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
