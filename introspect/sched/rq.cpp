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

}  // namespace ktstr::introspect
