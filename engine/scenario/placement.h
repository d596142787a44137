// Where tasks may run and how they are scheduled: cpuset, affinity and policy as a scenario states them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/read.h"
#include "engine/base/units.h"

namespace ktstr::engine {

struct LlcCpuset {
  std::uint32_t index = 0;

  static consteval auto describe() {
    return record("llc", "the usable CPUs of one LLC", field<&LlcCpuset::index>("LLC number, from 0"));
  }
};
struct NumaCpuset {
  std::uint32_t node = 0;

  static consteval auto describe() {
    return record("numa", "the usable CPUs of one NUMA node",
                  field<&NumaCpuset::node>("node number, from 0"));
  }
};
struct RangeCpuset {
  double start = 0;
  double end = 1;

  static consteval auto describe() {
    using T = RangeCpuset;
    return record("range", "a contiguous part of the usable CPUs",
                  field<&T::start>("where it starts, fraction of the usable CPUs"),
                  field<&T::end>("where it ends, fraction of the usable CPUs"));
  }
};
struct DisjointCpuset {
  std::uint32_t index = 0;
  std::uint32_t of = 1;

  static consteval auto describe() {
    using T = DisjointCpuset;
    return record("disjoint", "one of several equal parts of the usable CPUs",
                  field<&T::index>("which part, from 0"), field<&T::of>("how many parts"));
  }
};
struct OverlapCpuset {
  std::uint32_t index = 0;
  std::uint32_t of = 1;
  double fraction = 0;

  static consteval auto describe() {
    using T = OverlapCpuset;
    return record("overlap", "one of several equal parts, reaching into its neighbours",
                  field<&T::index>("which part, from 0"), field<&T::of>("how many parts"),
                  field<&T::fraction>("how far it reaches, fraction of a part"));
  }
};
struct ExactCpuset {
  CpuSet cpus;

  static consteval auto describe() {
    return record("exact", "just these CPUs", field<&ExactCpuset::cpus>("CPU list, e.g. \"0-3,8\""));
  }
};
using CpusetSpec =
    std::variant<LlcCpuset, NumaCpuset, RangeCpuset, DisjointCpuset, OverlapCpuset, ExactCpuset>;

struct InheritAffinity {
  static consteval auto describe() {
    return record<InheritAffinity>("inherit", "whatever the cgroup's cpuset allows");
  }
};
struct RandomSubsetAffinity {
  std::optional<CpuSet> from;
  std::uint32_t count = 1;

  static consteval auto describe() {
    using T = RandomSubsetAffinity;
    return record("random_subset", "each worker gets a random set of CPUs of its own",
                  field<&T::count>("CPUs for each worker"),
                  field<&T::from>("CPU list to choose from; the cgroup's when absent"));
  }
};
struct LlcAlignedAffinity {
  static consteval auto describe() {
    return record<LlcAlignedAffinity>("llc_aligned",
                                      "the LLC that shares most CPUs with the cgroup's cpuset");
  }
};
struct CrossCgroupAffinity {
  static consteval auto describe() {
    return record<CrossCgroupAffinity>("cross_cgroup", "all usable CPUs, beyond the cgroup's cpuset");
  }
};
struct SingleCpuAffinity {
  static consteval auto describe() {
    return record<SingleCpuAffinity>("single_cpu", "the first CPU of the cgroup's cpuset");
  }
};
struct ExactAffinity {
  CpuSet cpus;

  static consteval auto describe() {
    return record("exact", "just these CPUs", field<&ExactAffinity::cpus>("CPU list, e.g. \"0-3,8\""));
  }
};
struct SmtSiblingPairAffinity {
  static consteval auto describe() {
    return record<SmtSiblingPairAffinity>("smt_sibling_pair", "the SMT siblings of one core");
  }
};
using AffinitySpec =
    std::variant<InheritAffinity, RandomSubsetAffinity, LlcAlignedAffinity, CrossCgroupAffinity,
                 SingleCpuAffinity, ExactAffinity, SmtSiblingPairAffinity>;

/// Real-time priorities. A scheduler's program loads at kLoaderPriority, so that nothing under test starves
/// it, and the agent is above it, so that it sees and dates what the program does; scripts have the rest.
inline constexpr std::uint32_t kAgentPriority = 99;
inline constexpr std::uint32_t kLoaderPriority = 98;
inline constexpr std::uint32_t kHighestPriority = 97;

struct NormalPolicy {
  static consteval auto describe() { return record<NormalPolicy>("normal", "SCHED_OTHER"); }
};
struct BatchPolicy {
  static consteval auto describe() { return record<BatchPolicy>("batch", "SCHED_BATCH"); }
};
struct IdlePolicy {
  static consteval auto describe() { return record<IdlePolicy>("idle", "SCHED_IDLE"); }
};
struct FifoPolicy {
  std::uint32_t priority = 1;

  static consteval auto describe() {
    return record("fifo", "SCHED_FIFO", field<&FifoPolicy::priority>("1 to 97"));
  }
};
struct RrPolicy {
  std::uint32_t priority = 1;

  static consteval auto describe() { return record("rr", "SCHED_RR", field<&RrPolicy::priority>("1 to 97")); }
};
struct DeadlinePolicy {
  Duration runtime, deadline, period;

  static consteval auto describe() {
    using T = DeadlinePolicy;
    return record("deadline", "SCHED_DEADLINE; runtime <= deadline <= period",
                  field<&T::runtime>("CPU time in each period"),
                  field<&T::deadline>("by when, from the start of the period"),
                  field<&T::period>("length of a period"));
  }
};
struct ExtPolicy {
  static consteval auto describe() { return record<ExtPolicy>("ext", "SCHED_EXT"); }
};
using Policy =
    std::variant<NormalPolicy, BatchPolicy, IdlePolicy, FifoPolicy, RrPolicy, DeadlinePolicy, ExtPolicy>;

/// Reads a value that is one of several kinds (a cpuset, a policy, an op), each made by a constructor of the
/// script: a table with a "type", into the variant's alternative of that name. Members that are not optional
/// must be there. `expected` completes "expected ..., got a string" for anything else.
template <class Variant>
[[nodiscard]] ReadStatus read_choice(const Value& value, Variant& out, const ReadPlace& place,
                                     std::string_view expected) {
  const auto* type = value.find("type");
  if (!type || !type->get_if<std::string>()) return detail::wrong_kind(value, expected, place);
  return detail::read_variant(value, out, place, MissingMembers::kError);
}

}  // namespace ktstr::engine

namespace ktstr {

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
