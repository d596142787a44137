// Where tasks may run and how they are scheduled: cpuset, affinity and policy as a scenario states them.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "engine/scenario/read_choice.h"

namespace ktstr::engine {

struct LlcCpuset {
  std::uint32_t index = 0;
};
struct NumaCpuset {
  std::uint32_t node = 0;
};
struct RangeCpuset {
  double start = 0;
  double end = 1;
};
struct DisjointCpuset {
  std::uint32_t index = 0;
  std::uint32_t of = 1;
};
struct OverlapCpuset {
  std::uint32_t index = 0;
  std::uint32_t of = 1;
  double fraction = 0;
};
struct ExactCpuset {
  CpuSet cpus;
};
using CpusetSpec =
    std::variant<LlcCpuset, NumaCpuset, RangeCpuset, DisjointCpuset, OverlapCpuset, ExactCpuset>;

struct InheritAffinity {};
struct RandomSubsetAffinity {
  std::optional<CpuSet> from;
  std::uint32_t count = 1;
};
struct LlcAlignedAffinity {};
struct CrossCgroupAffinity {};
struct SingleCpuAffinity {};
struct ExactAffinity {
  CpuSet cpus;
};
struct SmtSiblingPairAffinity {};
using AffinitySpec =
    std::variant<InheritAffinity, RandomSubsetAffinity, LlcAlignedAffinity, CrossCgroupAffinity,
                 SingleCpuAffinity, ExactAffinity, SmtSiblingPairAffinity>;

/// Real-time priorities. A scheduler's program loads at kLoaderPriority, so that nothing under test starves
/// it, and the agent is above it, so that it sees and dates what the program does; scripts have the rest.
inline constexpr std::uint32_t kAgentPriority = 99;
inline constexpr std::uint32_t kLoaderPriority = 98;
inline constexpr std::uint32_t kHighestPriority = 97;

struct NormalPolicy {};
struct BatchPolicy {};
struct IdlePolicy {};
struct FifoPolicy {
  std::uint32_t priority = 1;
};
struct RrPolicy {
  std::uint32_t priority = 1;
};
struct DeadlinePolicy {
  Duration runtime, deadline, period;
};
struct ExtPolicy {};
using Policy =
    std::variant<NormalPolicy, BatchPolicy, IdlePolicy, FifoPolicy, RrPolicy, DeadlinePolicy, ExtPolicy>;

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::LlcCpuset> = record<engine::LlcCpuset>("llc", "the usable CPUs of one LLC",
    field("index", &engine::LlcCpuset::index, "LLC number, from 0"));
template <> inline constexpr auto describe<engine::NumaCpuset> = record<engine::NumaCpuset>("numa", "the usable CPUs of one NUMA node",
    field("node", &engine::NumaCpuset::node, "node number, from 0"));
template <> inline constexpr auto describe<engine::RangeCpuset> = record<engine::RangeCpuset>("range", "a contiguous part of the usable CPUs",
    field("start", &engine::RangeCpuset::start, "where it starts, fraction of the usable CPUs"),
    field("end", &engine::RangeCpuset::end, "where it ends, fraction of the usable CPUs"));
template <> inline constexpr auto describe<engine::DisjointCpuset> = record<engine::DisjointCpuset>("disjoint", "one of several equal parts of the usable CPUs",
    field("index", &engine::DisjointCpuset::index, "which part, from 0"),
    field("of", &engine::DisjointCpuset::of, "how many parts"));
template <> inline constexpr auto describe<engine::OverlapCpuset> = record<engine::OverlapCpuset>("overlap", "one of several equal parts, reaching into its neighbours",
    field("index", &engine::OverlapCpuset::index, "which part, from 0"),
    field("of", &engine::OverlapCpuset::of, "how many parts"),
    field("fraction", &engine::OverlapCpuset::fraction, "how far it reaches, fraction of a part"));
template <> inline constexpr auto describe<engine::ExactCpuset> = record<engine::ExactCpuset>("exact", "just these CPUs",
    field("cpus", &engine::ExactCpuset::cpus, "CPU list, e.g. \"0-3,8\""));

template <> inline constexpr auto describe<engine::InheritAffinity> = record<engine::InheritAffinity>("inherit", "whatever the cgroup's cpuset allows");
template <> inline constexpr auto describe<engine::RandomSubsetAffinity> = record<engine::RandomSubsetAffinity>("random_subset", "each worker gets a random set of CPUs of its own",
    field("count", &engine::RandomSubsetAffinity::count, "CPUs for each worker"),
    field("from", &engine::RandomSubsetAffinity::from, "CPU list to choose from; the cgroup's when absent"));
template <> inline constexpr auto describe<engine::LlcAlignedAffinity> = record<engine::LlcAlignedAffinity>("llc_aligned", "the LLC that shares most CPUs with the cgroup's cpuset");
template <> inline constexpr auto describe<engine::CrossCgroupAffinity> = record<engine::CrossCgroupAffinity>("cross_cgroup", "all usable CPUs, beyond the cgroup's cpuset");
template <> inline constexpr auto describe<engine::SingleCpuAffinity> = record<engine::SingleCpuAffinity>("single_cpu", "the first CPU of the cgroup's cpuset");
template <> inline constexpr auto describe<engine::ExactAffinity> = record<engine::ExactAffinity>("exact", "just these CPUs",
    field("cpus", &engine::ExactAffinity::cpus, "CPU list, e.g. \"0-3,8\""));
template <> inline constexpr auto describe<engine::SmtSiblingPairAffinity> = record<engine::SmtSiblingPairAffinity>("smt_sibling_pair", "the SMT siblings of one core");

template <> inline constexpr auto describe<engine::NormalPolicy> = record<engine::NormalPolicy>("normal", "SCHED_OTHER");
template <> inline constexpr auto describe<engine::BatchPolicy> = record<engine::BatchPolicy>("batch", "SCHED_BATCH");
template <> inline constexpr auto describe<engine::IdlePolicy> = record<engine::IdlePolicy>("idle", "SCHED_IDLE");
template <> inline constexpr auto describe<engine::FifoPolicy> = record<engine::FifoPolicy>("fifo", "SCHED_FIFO",
    field("priority", &engine::FifoPolicy::priority, "1 to 97"));
template <> inline constexpr auto describe<engine::RrPolicy> = record<engine::RrPolicy>("rr", "SCHED_RR",
    field("priority", &engine::RrPolicy::priority, "1 to 97"));
template <> inline constexpr auto describe<engine::DeadlinePolicy> = record<engine::DeadlinePolicy>("deadline", "SCHED_DEADLINE; runtime <= deadline <= period",
    field("runtime", &engine::DeadlinePolicy::runtime, "CPU time in each period"),
    field("deadline", &engine::DeadlinePolicy::deadline, "by when, from the start of the period"),
    field("period", &engine::DeadlinePolicy::period, "length of a period"));
template <> inline constexpr auto describe<engine::ExtPolicy> = record<engine::ExtPolicy>("ext", "SCHED_EXT");
// clang-format on

template <>
struct CustomReader<engine::CpusetSpec> {
  static ReadStatus read(const Value& value, engine::CpusetSpec& out, const ReadPlace& place,
                         MissingMembers) {
    return engine::read_choice(value, out, place, "a cpuset such as k.cpuset.llc(0)");
  }
};
template <>
struct CustomReader<engine::AffinitySpec> {
  static ReadStatus read(const Value& value, engine::AffinitySpec& out, const ReadPlace& place,
                         MissingMembers) {
    return engine::read_choice(value, out, place, "an affinity such as k.affinity.single_cpu");
  }
};
template <>
struct CustomReader<engine::Policy> {
  static ReadStatus read(const Value& value, engine::Policy& out, const ReadPlace& place, MissingMembers) {
    return engine::read_choice(value, out, place, "a policy such as k.policy.fifo(50)");
  }
};
}  // namespace ktstr
