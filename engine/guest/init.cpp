#include "engine/guest/init.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/guest/kernel_file.h"
#include "engine/guest/worker_state.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

struct Mount {
  const char* type;
  const char* target;
  unsigned long flags;
  const char* options;
  bool may_be_absent = false;  ///< kernels are built without it
};

// The order matters: /sys before what lies in it.
constexpr Mount kMounts[] = {
    {"devtmpfs", "/dev", MS_NOSUID, ""},
    {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    // favordynmods: without it every move of a task waits for an RCU grace period, tens of ms under
    // emulation.
    {"cgroup2", kCgroupRoot, MS_NOSUID | MS_NODEV | MS_NOEXEC, "favordynmods"},
    {"tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777"},
    {"debugfs", "/sys/kernel/debug", MS_NOSUID | MS_NODEV | MS_NOEXEC, "", true},
};

Status mount_one(const Mount& entry) {
  if (::mkdir(entry.target, 0755) < 0 && errno != EEXIST && !entry.may_be_absent)
    return system_error(std::string("mkdir ") + entry.target);
  int result = ::mount(entry.type, entry.target, entry.type, entry.flags, entry.options);
  // A kernel that does not know an option works without it.
  if (result < 0 && errno == EINVAL) result = ::mount(entry.type, entry.target, entry.type, entry.flags, "");
  if (result < 0 && errno != EBUSY && !entry.may_be_absent)
    return system_error(std::string("mount ") + entry.target);
  return ok();
}

Status mount_all() {
  for (const auto& entry : kMounts) KTSTR_TRY(mount_one(entry));
  return ok();
}

Status open_console() {
  if (::fcntl(STDERR_FILENO, F_GETFD) >= 0) return ok();
  const int console = ::open("/dev/console", O_RDWR | O_NOCTTY);
  if (console < 0) return system_error("open /dev/console");
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fd != console && ::dup2(console, fd) < 0) return system_error("dup2 /dev/console");
  if (console > STDERR_FILENO) ::close(console);
  return ok();
}

/// The kernel allows tasks for an eighth of the memory: fewer than a scenario may ask for. What they really
/// take is for the memory itself to limit.
void allow_many_workers() {
  constexpr auto kThreadsMax = "/proc/sys/kernel/threads-max";
  constexpr auto kWanted = 2 * kMostWorkersAtATime;
  const auto now = read_file(kThreadsMax, 64);
  if (now && std::strtoull(now->text.c_str(), nullptr, 10) < kWanted)
    (void)write_control(kThreadsMax, std::to_string(kWanted));
}

/// Where huge pages are on, the kernel keeps 66 MB free for making them: as much as 600 workers take. A large
/// guest does not miss it.
void keep_less_free() {
  constexpr auto kMinFree = "/proc/sys/vm/min_free_kbytes";
  constexpr unsigned long long kEnough = 16 << 10;
  constexpr std::uint64_t kLarge = std::uint64_t{4} << 30;
  struct sysinfo memory {};
  if (::sysinfo(&memory) < 0 || std::uint64_t{memory.totalram} * memory.mem_unit >= kLarge) return;
  const auto now = read_file(kMinFree, 64);
  if (now && std::strtoull(now->text.c_str(), nullptr, 10) > kEnough)
    (void)write_control(kMinFree, std::to_string(kEnough));
}

/// The kernel started this program with "norandmaps", so that its parts lie close together: that saves each
/// worker three page tables. Whatever it starts is to have the kernel's default, unless the scenario says
/// "norandmaps" too.
void randomize_other_programs() {
  constexpr std::string_view kArgument = "norandmaps";
  const auto line = read_file("/proc/cmdline", 4096);
  if (!line) return;
  const auto ours = line->text.find(kArgument);
  if (ours == std::string::npos || line->text.find(kArgument, ours + 1) != std::string::npos) return;
  (void)write_control("/proc/sys/kernel/randomize_va_space", "2");
}

}  // namespace

Status become_init() {
  ::umask(022);
  KTSTR_TRY(mount_all());
  KTSTR_TRY(open_console());
  randomize_other_programs();
  allow_many_workers();
  keep_less_free();
  const sched_param highest{static_cast<int>(kAgentPriority)};
  if (::sched_setscheduler(0, SCHED_FIFO, &highest) < 0) return system_error("sched_setscheduler");
  return ok();
}

void end_machine() {
  ::reboot(RB_AUTOBOOT);
  // Only a guest whose reset does not work comes here. PID 1 must not end: that would be a panic.
  while (true) ::pause();
}

}  // namespace ktstr::engine::guest
