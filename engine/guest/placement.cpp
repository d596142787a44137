#include "engine/guest/placement.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/guest/sched_attr.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kBitsPerWord = 64;

std::vector<std::uint64_t> to_mask(const CpuSet& cpus) {
  std::vector<std::uint64_t> mask(CpuSet::kCapacity / kBitsPerWord, cpus.empty() ? ~std::uint64_t{0} : 0);
  for (const auto cpu : cpus.to_vector())
    mask[cpu / kBitsPerWord] |= std::uint64_t{1} << (cpu % kBitsPerWord);
  return mask;
}

void apply(SchedAttr& attr, const NormalPolicy&) {
  attr.policy = SCHED_NORMAL;
}
void apply(SchedAttr& attr, const BatchPolicy&) {
  attr.policy = SCHED_BATCH;
}
void apply(SchedAttr& attr, const IdlePolicy&) {
  attr.policy = SCHED_IDLE;
}
void apply(SchedAttr& attr, const ExtPolicy&) {
  attr.policy = kSchedExt;
}
void apply(SchedAttr& attr, const FifoPolicy& policy) {
  attr.policy = SCHED_FIFO;
  attr.priority = policy.priority;
}
void apply(SchedAttr& attr, const RrPolicy& policy) {
  attr.policy = SCHED_RR;
  attr.priority = policy.priority;
}
void apply(SchedAttr& attr, const DeadlinePolicy& policy) {
  attr.policy = SCHED_DEADLINE;
  attr.runtime_ns = static_cast<std::uint64_t>(policy.runtime.ns);
  attr.deadline_ns = static_cast<std::uint64_t>(policy.deadline.ns);
  attr.period_ns = static_cast<std::uint64_t>(policy.period.ns);
}

}  // namespace

Status set_affinity(pid_t tid, const CpuSet& cpus) {
  const auto mask = to_mask(cpus);
  if (::syscall(SYS_sched_setaffinity, tid, mask.size() * sizeof mask[0], mask.data()) < 0)
    return system_error("set the affinity of task " + std::to_string(tid) + " to \"" + cpus.to_string() +
                        "\"");
  return ok();
}

Status set_policy(pid_t tid, const Policy& policy, int nice) {
  SchedAttr attr;
  attr.nice = nice;
  std::visit([&](const auto& kind) { apply(attr, kind); }, policy);
  if (::syscall(SYS_sched_setattr, tid, &attr, 0) == 0) return ok();
  auto error = system_error("set the scheduling policy of task " + std::to_string(tid));
  if (errno == EINVAL) error.code = ErrorCode::kInvalidArgument;
  return error;
}

}  // namespace ktstr::engine::guest
