#include "introspect/task/lock_slowpath.h"

namespace ktstr::introspect {
namespace {

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

std::optional<std::string_view> lock_slowpath_at(const Kernel& kernel, KernelVirt pc) {
  const auto named = kernel.symbolize(pc);
  if (!named) return std::nullopt;
  const auto function = named->name.substr(0, named->name.find('.'));
  for (const auto& slowpath : kSlowpaths)
    if (slowpath.function == function) return slowpath.kind;
  return std::nullopt;
}

}  // namespace ktstr::introspect
