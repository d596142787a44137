#include "introspect/sched/schedstats_switch.h"

namespace ktstr::introspect {

SchedstatsSwitch SchedstatsSwitch::find(const Kernel& kernel) {
  SchedstatsSwitch found;
  const auto key = kernel.address("sched_schedstats");
  if (!key) {
    found.reason_ = "no symbol sched_schedstats (CONFIG_SCHEDSTATS)";
  } else if (const auto status = found.layout_.resolve(kernel.btf()); !status) {
    found.reason_ = status.error().message;
  } else {
    found.key_ = *key;
    found.reason_ = "kernel.sched_schedstats is 0";
  }
  return found;
}

bool SchedstatsSwitch::is_on(const Kernel& kernel) const {
  return !key_.is_null() && layout_.enabled.read(kernel, key_).value_or(0) != 0;
}

}  // namespace ktstr::introspect
