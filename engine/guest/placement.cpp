#include "engine/guest/placement.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kBitsPerWord = 64;

/// sched_setattr(2)'s argument, which glibc 2.36 does not declare: struct sched_attr,
/// include/uapi/linux/sched/types.h, first version.
struct SchedAttr {
  std::uint32_t size = 48;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedAttr) == 48);

/// SCHED_EXT, include/uapi/linux/sched.h of kernels with sched_ext.
constexpr std::uint32_t kSchedExt = 7;

std::vector<std::uint64_t> to_mask(const CpuSet& cpus) {
  std::vector<std::uint64_t> mask(CpuSet::kCapacity / kBitsPerWord, cpus.empty() ? ~std::uint64_t{0} : 0);
  for (const auto cpu : cpus.to_vector())
    mask[cpu / kBitsPerWord] |= std::uint64_t{1} << (cpu % kBitsPerWord);
  return mask;
}

/// In the order of Policy's alternatives.
constexpr std::uint32_t kPolicies[] = {SCHED_NORMAL, SCHED_BATCH,    SCHED_IDLE, SCHED_FIFO,
                                       SCHED_RR,     SCHED_DEADLINE, kSchedExt};
static_assert(std::size(kPolicies) == std::variant_size_v<Policy>);

template <class SomePolicy>
void apply(SchedAttr& attr, const SomePolicy& policy) {
  if constexpr (requires { policy.priority; }) attr.priority = policy.priority;
  if constexpr (std::same_as<SomePolicy, DeadlinePolicy>) {
    attr.runtime_ns = static_cast<std::uint64_t>(policy.runtime.ns);
    attr.deadline_ns = static_cast<std::uint64_t>(policy.deadline.ns);
    attr.period_ns = static_cast<std::uint64_t>(policy.period.ns);
  }
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
  SchedAttr attr{.policy = kPolicies[policy.index()], .nice = nice};
  std::visit([&](const auto& kind) { apply(attr, kind); }, policy);
  if (::syscall(SYS_sched_setattr, tid, &attr, 0) == 0) return ok();
  auto error = system_error("set the scheduling policy of task " + std::to_string(tid));
  if (errno == EINVAL) error.code = ErrorCode::kInvalidArgument;
  return error;
}

}  // namespace ktstr::engine::guest
