#include "introspect/sched/rq.h"

namespace ktstr::introspect {

std::vector<MissingCapability> RqLayout::missing() const {
  std::vector<MissingCapability> groups;
  if (auto reason = lacking(CpuSnapshot::kScxConfig); !reason.empty())
    groups.push_back({"sched_ext run queues", std::move(reason)});
  if (auto reason = lacking(RqSchedstat::kConfig); !reason.empty())
    groups.push_back({"schedstat", std::move(reason)});
  return groups;
}

void RqLayout::fill_cpu(const StructBytes& bytes, bool counting, CpuSnapshot& cpu) const {
  fill(bytes, cpu);
  if (counting || !cpu.schedstat) return;
  for_each_field<RqSchedstat>([&](const auto& field) {
    auto& counter = (*cpu.schedstat).*field.member;
    if constexpr (requires { counter.reset(); }) counter.reset();
  });
}

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
