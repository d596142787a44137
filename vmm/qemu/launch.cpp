#include "vmm/qemu/launch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "vmm/qemu/command_line.h"
#include "vmm/qemu/pvh_kernel.h"
#include "vmm/qemu/tsc.h"
#include "vmm/qemu/version.h"

namespace ktstr::vmm::qemu {
namespace {

Result<Fd> open_input(const std::filesystem::path& path, const char* what) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(std::string("open ") + what + " " + path.string());
  return fd;
}

/// The ELF boots fastest. A kernel that is to be randomized and that we can't move is left to its own
/// decompressor.
Result<BootFiles> open_kernel(const MachineConfig& config, InitramfsRoom room) {
  auto kernel = make_pvh_kernel(config.kernel_elf, config.kaslr, room);
  if (kernel) return BootFiles{std::move(kernel->elf), {}, kernel->initramfs};
  if (kernel.error().code != ErrorCode::kUnavailable || config.kernel_bzimage.empty())
    return std::move(kernel.error()).with_context(config.kernel_elf.string());
  return BootFiles{KTSTR_TRY(open_input(config.kernel_bzimage, "kernel")), {}, std::nullopt};
}

Result<std::uint64_t> size_of(const Fd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("size of the initramfs");
  return static_cast<std::uint64_t>(status.st_size);
}

Status load_initramfs(const BootFiles& boot, const GuestRam& ram) {
  if (!boot.place) return ok();
  return read_at(boot.initramfs.get(), ram.bytes(0).subspan(boot.place->at.value(), boot.place->bytes), 0);
}

/// Descriptors of ours for the child, and the numbers that they will have there.
class Inheritance {
 public:
  int add(const Fd& fd) { return add(fd.get()); }
  int add(int fd) {
    fds_.push_back(fd);
    return ChildPlan::kFirstInherited + static_cast<int>(fds_.size()) - 1;
  }
  std::vector<int> take() { return std::move(fds_); }

 private:
  std::vector<int> fds_;
};

void add_origin(Inheritance& inheritance, const Origin& origin, QemuDescriptors& descriptors) {
  if (const auto* boot = std::get_if<BootFiles>(&origin)) {
    descriptors.kernel = inheritance.add(boot->kernel);
    if (!boot->place) descriptors.initramfs = inheritance.add(boot->initramfs);
  } else {
    descriptors.device_state = inheritance.add(std::get<DeviceStateFile>(origin).file);
  }
}

}  // namespace

Result<BootFiles> open_boot_files(const MachineConfig& config, const MachinePlan& plan) {
  auto initramfs = KTSTR_TRY(open_input(config.initramfs, "initramfs"));
  const InitramfsRoom room{KTSTR_TRY(size_of(initramfs)), plan.bank_bytes.front()};
  auto files = KTSTR_TRY(open_kernel(config, room));
  files.initramfs = std::move(initramfs);
  return files;
}

Result<LaunchedQemu> launch_qemu(const MachineConfig& config, const MachinePlan& plan, const GuestRam& ram,
                                 const Origin& origin) {
  if (const auto* boot = std::get_if<BootFiles>(&origin)) KTSTR_TRY(load_initramfs(*boot, ram));
  const char* path = std::getenv("PATH");
  const auto program = KTSTR_TRY(find_qemu(path ? path : ""));
  auto qmp = KTSTR_TRY(make_socket_pair());
  auto gdb = KTSTR_TRY(make_socket_pair());
  auto console = KTSTR_TRY(make_socket_pair());
  auto channel = KTSTR_TRY(make_socket_pair());

  Inheritance inheritance;
  QemuDescriptors descriptors;
  descriptors.qmp = inheritance.add(qmp.theirs);
  descriptors.gdb = inheritance.add(gdb.theirs);
  descriptors.console = inheritance.add(console.theirs);
  descriptors.channel = inheritance.add(channel.theirs);
  add_origin(inheritance, origin, descriptors);
  for (std::size_t i = 0; i < ram.bank_count(); ++i) descriptors.ram.push_back(inheritance.add(ram.fd(i)));

  LaunchedQemu launched;
  launched.process = KTSTR_TRY(Process::spawn(
      qemu_command_line(program, config, plan, descriptors, host_tsc_khz()), inheritance.take()));
  launched.qmp = std::move(qmp.ours);
  launched.gdb = std::move(gdb.ours);
  launched.console = std::move(console.ours);
  launched.channel = std::move(channel.ours);
  launched.device_state = descriptors.device_state;
  return launched;
}

}  // namespace ktstr::vmm::qemu
