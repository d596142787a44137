#include "introspect/task/task_names.h"

#include <bit>

namespace ktstr::introspect {
namespace {

// include/linux/sched.h
constexpr std::uint32_t kUninterruptible = 0x0002;
constexpr std::uint32_t kReported = 0x007f;    // TASK_REPORT
constexpr std::uint32_t kReportIdle = 0x0080;  // TASK_REPORT_IDLE
constexpr std::uint32_t kIdle = 0x0402;        // TASK_IDLE: uninterruptible, and no load
constexpr std::uint32_t kRtLockWait = 0x1000;  // TASK_RTLOCK_WAIT
constexpr std::uint32_t kFrozen = 0x8000;      // TASK_FROZEN
constexpr std::string_view kLetters = "RSDTtXZPI";

/// __task_state_index()
std::uint32_t reported_state(std::uint32_t state, std::uint32_t exit_state) {
  if ((state & kIdle) == kIdle) return kReportIdle;
  if ((state & (kRtLockWait | kFrozen)) != 0) return kUninterruptible;
  return (state | exit_state) & kReported;
}

struct Slowpath {
  std::string_view function;
  std::string_view kind;
};

// kernel/locking/{qspinlock,mutex,rwsem}.c. A mutex is waited for in __mutex_lock, or in the function of its
// own that this was once split into.
constexpr Slowpath kSlowpaths[] = {
    {"queued_spin_lock_slowpath", "queued_spin_lock_slowpath"},
    {"native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath"},
    {"__pv_queued_spin_lock_slowpath", "queued_spin_lock_slowpath"},
    {"__mutex_lock_slowpath", "mutex_lock_slowpath"},
    {"__mutex_lock", "mutex_lock_slowpath"},
    {"__mutex_lock_common", "mutex_lock_slowpath"},
    {"rwsem_down_read_slowpath", "rwsem_down_read_slowpath"},
    {"rwsem_down_write_slowpath", "rwsem_down_write_slowpath"},
};

}  // namespace

char task_state_letter(std::uint32_t state, std::uint32_t exit_state) {
  return kLetters[static_cast<std::size_t>(std::bit_width(reported_state(state, exit_state)))];
}

std::map<KernelVirt, std::string> sched_classes(const Kernel& kernel) {
  std::map<KernelVirt, std::string> classes;
  for (const char* name : {"fair", "rt", "dl", "idle", "stop", "ext"})
    if (const auto place = kernel.address(std::string(name) + "_sched_class")) classes.emplace(*place, name);
  return classes;
}

std::optional<std::string_view> lock_slowpath_at(const Kernel& kernel, KernelVirt pc) {
  const auto named = kernel.symbolize(pc);
  if (!named) return std::nullopt;
  const auto function = named->name.substr(0, named->name.find('.'));
  for (const auto& slowpath : kSlowpaths)
    if (slowpath.function == function) return slowpath.kind;
  return std::nullopt;
}

}  // namespace ktstr::introspect
