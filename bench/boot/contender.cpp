#include "bench/boot/contender.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>

#include "engine/base/child.h"
#include "vmm/qemu/process.h"
#include "vmm/qemu/version.h"

namespace ktstr::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReadyMilliseconds = 40'000;
constexpr char kReady = 'R';  // boot_init.c

/// Waits for a line end followed by kReady: kernel messages have that letter inside lines only.
Result<void> wait_for_ready(int fd) {
  char previous = '\n';
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kReadyMilliseconds) != 1)
      return Error{ErrorCode::kTimeout, "the guest's init does not start"};
    char byte = 0;
    if (::recv(fd, &byte, 1, 0) != 1)
      return Error{ErrorCode::kGuestFailed, "QEMU ended before the guest's init"};
    if (byte == kReady && previous == '\n') return ok();
    if (byte != '\r') previous = byte;
  }
}

Result<Seconds> boot_ours(const Guest& guest, bool kaslr, vmm::Backend backend) {
  const auto config = KTSTR_TRY(machine_config(guest, kaslr));
  const auto start = Clock::now();
  const auto machine = KTSTR_TRY(vmm::start_machine(config, backend));
  KTSTR_TRY(wait_for_ready(machine->channel_fd()));
  return Seconds(Clock::now() - start);
}

Result<Seconds> boot_plain(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_error("socketpair");
  const Fd console(ends[0]);
  Fd childs(ends[1]);
  const auto start = Clock::now();
  const auto process = KTSTR_TRY(vmm::qemu::Process::spawn(std::move(command), {childs.get()}));
  childs.reset();
  KTSTR_TRY(wait_for_ready(console.get()));
  return Seconds(Clock::now() - start);
}

}  // namespace

Result<vmm::MachineConfig> machine_config(const Guest& guest, bool kaslr) {
  vmm::MachineConfig config;
  config.kernel_elf = guest.kernel.elf;
  config.kernel_bzimage = guest.kernel.bzimage;
  config.initramfs = guest.initramfs;
  config.topology = KTSTR_TRY(vmm::Topology::parse("1n2l1c1t"));
  config.memory = ByteSize{512ULL << 20};
  config.kaslr = kaslr;
  return config;
}

Contender our_machine(const Guest& guest, const std::string& name, bool kaslr, vmm::Backend backend) {
  return {name, [=] { return boot_ours(guest, kaslr, backend); }};
}

Contender plain_qemu(const std::string& name, const std::filesystem::path& kernel,
                     const std::filesystem::path& initramfs, const std::string& kernel_arguments,
                     std::vector<std::string> arguments) {
  return {name, [=]() -> Result<Seconds> {
            const char* path = std::getenv("PATH");
            std::vector<std::string> command{KTSTR_TRY(vmm::qemu::find_qemu(path ? path : ""))};
            command.insert(command.end(), arguments.begin(), arguments.end());
            for (const auto& argument :
                 {std::string("-kernel"), kernel.string(), std::string("-initrd"), initramfs.string(),
                  std::string("-append"), kernel_arguments, std::string("-chardev"),
                  "socket,id=console,fd=" + std::to_string(ChildPlan::kFirstInherited),
                  std::string("-serial"), std::string("chardev:console")})
              command.push_back(argument);
            return boot_plain(std::move(command));
          }};
}

}  // namespace ktstr::bench
