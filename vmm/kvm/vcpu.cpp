#include "vmm/kvm/vcpu.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <mutex>

#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

/// Interrupts KVM_RUN; its handler does nothing. No other part of the process uses it.
int kick_signal() {
  return SIGRTMIN;
}

void install_kick_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigemptyset(&action.sa_mask);
    ::sigaction(kick_signal(), &action, nullptr);
  });
}

/// The thread takes kicks and nothing else: the process's signals are for its other threads.
void block_other_signals() {
  sigset_t blocked;
  ::sigfillset(&blocked);
  ::sigdelset(&blocked, kick_signal());
  ::pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

}  // namespace

Result<std::unique_ptr<Vcpu>> Vcpu::create(const Kvm& kvm, int vm, std::size_t index, std::uint32_t apic_id,
                                           const VcpuSurroundings& surroundings) {
  install_kick_handler();
  std::unique_ptr<Vcpu> vcpu(new Vcpu(index, surroundings));
  vcpu->fd_ =
      Fd(KTSTR_TRY(kvm_value(vm, KVM_CREATE_VCPU, "KVM_CREATE_VCPU", static_cast<unsigned long>(apic_id))));
  void* run = ::mmap(nullptr, kvm.run_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd(), 0);
  if (run == MAP_FAILED) return system_error("map kvm_run");
  vcpu->run_ = static_cast<kvm_run*>(run);
  vcpu->run_bytes_ = kvm.run_bytes();
  vcpu->filter_ = KTSTR_TRY(SyscallFilter::create(ConfinedThread::kVcpu));
  return vcpu;
}

Vcpu::~Vcpu() {
  kick();
  if (thread_.joinable()) thread_.join();
  if (run_) ::munmap(run_, run_bytes_);
}

void Vcpu::start() {
  thread_ = std::thread([this] { run(); });
}

void Vcpu::kick() {
  if (!thread_.joinable()) return;
  std::atomic_ref(run_->immediate_exit).store(1);
  ::pthread_kill(thread_.native_handle(), kick_signal());
}

void Vcpu::run() {
  block_other_signals();
  thread_id_ = ::gettid();
  ::pthread_setname_np(::pthread_self(), fmt::format("vcpu {}", index_).c_str());
  filter_.confine_this_thread();
  while (surroundings_.gate.pass(index_, [this] { std::atomic_ref(run_->immediate_exit).store(0); }))
    if (!enter_guest()) return;
}

/// Runs the guest until the thread is wanted at the gate (true) or the vCPU can't go on (false). An access
/// that a device has answered is completed by the next KVM_RUN, also by one that exits at once: at the gate
/// the registers are those after the instruction.
bool Vcpu::enter_guest() {
  while (true) {
    if (::ioctl(fd(), KVM_RUN, 0) == 0) {
      if (run_->exit_reason == KVM_EXIT_DEBUG) {
        surroundings_.on_debug(index_, run_->debug.arch);
        return true;
      }
      if (!handle_exit()) return false;
    } else if (errno == EINTR) {
      return true;
    } else if (errno != EAGAIN) {
      surroundings_.on_failure(system_error(fmt::format("vCPU {}: KVM_RUN", index_)));
      return false;
    }
  }
}

bool Vcpu::handle_exit() {
  switch (run_->exit_reason) {
    case KVM_EXIT_IO:
      handle_port();
      return true;
    case KVM_EXIT_MMIO:
      handle_mmio();
      return true;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      return true;
    case KVM_EXIT_SHUTDOWN:
    case KVM_EXIT_SYSTEM_EVENT:
      surroundings_.on_shutdown();
      return false;
    case KVM_EXIT_FAIL_ENTRY:
      return fail("KVM could not enter the guest, hardware reason",
                  run_->fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR:
      return fail("KVM internal error", run_->internal.suberror);
    default:
      return fail("KVM gave an exit that is not known here", run_->exit_reason);
  }
}

/// Port accesses come in strings of `count` (rep ins/outs); each is an access of its own.
void Vcpu::handle_port() {
  auto* data = reinterpret_cast<std::byte*>(run_) + run_->io.data_offset;
  for (std::uint32_t i = 0; i < run_->io.count; ++i, data += run_->io.size) {
    if (run_->io.direction == KVM_EXIT_IO_IN)
      surroundings_.ports.read(run_->io.port, {data, run_->io.size});
    else
      surroundings_.ports.write(run_->io.port, {data, run_->io.size});
  }
}

void Vcpu::handle_mmio() {
  const std::span data(reinterpret_cast<std::byte*>(run_->mmio.data), run_->mmio.len);
  if (run_->mmio.is_write)
    surroundings_.memory.write(run_->mmio.phys_addr, data);
  else
    surroundings_.memory.read(run_->mmio.phys_addr, data);
}

bool Vcpu::fail(const char* what, std::uint64_t detail) {
  surroundings_.on_failure(
      {ErrorCode::kEmulatorFailed, fmt::format("vCPU {}: {} {:#x}", index_, what, detail)});
  return false;
}

}  // namespace ktstr::vmm::kvm
