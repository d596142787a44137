#include "tests/bpf/scheduler_machine.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "vmm/initramfs.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::bpf::testing {
namespace {

constexpr int kSilenceMs = 90'000;  ///< the guest is emulated, and the host may be busy
constexpr std::uint64_t kMemoryBytes = 512ull << 20;

}  // namespace

Result<SchedulerMachine> SchedulerMachine::boot(const engine::CachedKernel& kernel) {
  SchedulerMachine guest;
  guest.directory_ = std::make_unique<ktstr::test::TemporaryDirectory>();
  const auto initramfs = guest.directory_->path() / "initramfs";
  KTSTR_TRY(vmm::write_initramfs(
      {{.path = "init", .content = SCHEDULER_GUEST}, {.path = "scx_ktstr", .content = SCX_KTSTR}},
      initramfs));
  guest.machine_ = KTSTR_TRY(
      vmm::start_qemu({.kernel_elf = kernel.elf,
                       .kernel_bzimage = kernel.bzimage,
                       .initramfs = initramfs,
                       .topology = {.nodes = 1, .llcs = 2, .cores_per_llc = 1, .threads_per_core = 1},
                       .memory = ByteSize(kMemoryBytes),
                       .kaslr = !kernel.bzimage.empty(),
                       .kernel_args = {},
                       .console_log = {}}));
  if (KTSTR_TRY(guest.receive_line()) != "ready")
    return Error{ErrorCode::kGuestFailed, guest.machine_->console_tail(20)};
  return guest;
}

Result<SchedulerRun> SchedulerMachine::run(const std::vector<std::string>& arguments, RunEnd end) {
  std::string request = end == RunEnd::kSignal ? "signal" : "itself";
  for (const auto& argument : arguments) request += "\t" + argument;
  KTSTR_TRY(send(request + "\n"));
  SchedulerRun run;
  for (std::string* text : {&run.output, &run.state, &run.ops, &run.busy_cpus, &run.state_after})
    *text = KTSTR_TRY(receive_text());
  run.attach_ms = std::atol(KTSTR_TRY(receive_line()).c_str());
  run.exit_status = std::atoi(KTSTR_TRY(receive_line()).c_str());
  return run;
}

Status SchedulerMachine::send(const std::string& text) {
  if (::write(machine_->channel_fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error("send to the guest");
  return ok();
}

Result<std::string> SchedulerMachine::receive_line() {
  std::size_t end;
  while ((end = received_.find('\n')) == std::string::npos) {
    pollfd channel{machine_->channel_fd(), POLLIN, 0};
    const int ready = ::poll(&channel, 1, kSilenceMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return Error{ErrorCode::kTimeout, "the guest is silent:\n" + machine_->console_tail(30)};
    char bytes[4096];
    const ssize_t size = ::read(channel.fd, bytes, sizeof(bytes));
    if (size <= 0) return Error{ErrorCode::kIo, "the guest is gone:\n" + machine_->console_tail(30)};
    received_.append(bytes, static_cast<std::size_t>(size));
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

/// Lines up to one that is a single dot, joined.
Result<std::string> SchedulerMachine::receive_text() {
  std::string text;
  for (;;) {
    const auto line = receive_line();
    if (!line) return line.error();
    if (*line == ".") return text;
    text += (text.empty() ? "" : "\n") + *line;
  }
}

}  // namespace ktstr::bpf::testing
