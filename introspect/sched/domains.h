// struct sched_domain (include/linux/sched/topology.h): the levels that one CPU balances load over.
#pragma once

#include <cstddef>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/layout.h"
#include "introspect/sched/domain_snapshot.h"
#include "introspect/sched/missing.h"

namespace ktstr::introspect {

/// SMT, cluster, cache, package, and one level per NUMA distance: a longer chain is no chain of domains.
inline constexpr std::size_t kMaxDomainLevels = 32;

struct SchedDomainLayout : StructLayout {
  SchedDomainLayout() : StructLayout({"sched_domain"}) {}
  Field<KernelVirt> parent{*this, {"parent"}};
  Field<std::int32_t> flags{*this, {"flags"}};
  Field<std::int32_t> level{*this, {"level"}};
  Field<std::uint32_t> span_weight{*this, {"span_weight"}};
  Field<std::uint32_t> balance_interval{*this, {"balance_interval"}};
  Field<std::uint32_t> nr_balance_failed{*this, {"nr_balance_failed"}};
  Field<std::uint64_t> max_newidle_lb_cost{*this, {"max_newidle_lb_cost"}};
  OptionalField<std::uint32_t> newidle_call{*this, {"newidle_call"}};
  OptionalField<std::uint32_t> newidle_success{*this, {"newidle_success"}};
  OptionalField<std::uint32_t> newidle_ratio{*this, {"newidle_ratio"}};
  OptionalField<KernelVirt> name_pointer{*this, {"name"}};  // CONFIG_SCHED_DEBUG in older kernels
  OptionalEmbedded span{*this, {"span"}};

  /// Where the domain's cpumask is: its last member or, where there is no such member, right behind the
  /// structure.
  [[nodiscard]] KernelVirt span_address(KernelVirt domain) const {
    return span.present() ? span.address(domain) : domain + size();
  }
};

/// The members with CONFIG_SCHEDSTATS.
struct SchedDomainStatsLayout : StructLayout {
  SchedDomainStatsLayout() : StructLayout({"sched_domain"}) {}
  Field<PerIdleType> lb_count{*this, {"lb_count"}};
  Field<PerIdleType> lb_failed{*this, {"lb_failed"}};
  Field<PerIdleType> lb_balanced{*this, {"lb_balanced"}};
  OptionalField<PerIdleType> lb_imbalance{*this, {"lb_imbalance"}};
  OptionalField<PerIdleType> lb_imbalance_load{*this, {"lb_imbalance_load"}};
  OptionalField<PerIdleType> lb_imbalance_util{*this, {"lb_imbalance_util"}};
  OptionalField<PerIdleType> lb_imbalance_task{*this, {"lb_imbalance_task"}};
  OptionalField<PerIdleType> lb_imbalance_misfit{*this, {"lb_imbalance_misfit"}};
  Field<PerIdleType> lb_gained{*this, {"lb_gained"}};
  Field<PerIdleType> lb_hot_gained{*this, {"lb_hot_gained"}};
  Field<PerIdleType> lb_nobusyg{*this, {"lb_nobusyg"}};
  Field<PerIdleType> lb_nobusyq{*this, {"lb_nobusyq"}};
  Field<std::uint32_t> alb_count{*this, {"alb_count"}};
  Field<std::uint32_t> alb_failed{*this, {"alb_failed"}};
  Field<std::uint32_t> alb_pushed{*this, {"alb_pushed"}};
  Field<std::uint32_t> sbe_count{*this, {"sbe_count"}};
  Field<std::uint32_t> sbe_balanced{*this, {"sbe_balanced"}};
  Field<std::uint32_t> sbe_pushed{*this, {"sbe_pushed"}};
  Field<std::uint32_t> sbf_count{*this, {"sbf_count"}};
  Field<std::uint32_t> sbf_balanced{*this, {"sbf_balanced"}};
  Field<std::uint32_t> sbf_pushed{*this, {"sbf_pushed"}};
  Field<std::uint32_t> ttwu_wake_remote{*this, {"ttwu_wake_remote"}};
  Field<std::uint32_t> ttwu_move_affine{*this, {"ttwu_move_affine"}};
  Field<std::uint32_t> ttwu_move_balance{*this, {"ttwu_move_balance"}};
};

/// Reads chains of domains. Not for several threads at once: it keeps buffers.
class DomainReader {
 public:
  /// Error: this kernel has no such structure.
  [[nodiscard]] static Result<DomainReader> create(const Btf& btf);

  /// The domains from `lowest` (rq->sd) up; empty when it is null. `counting`: whether the statistics count
  /// (SchedstatsSwitch). Errors: kOutOfRange, a domain can't be read; kCorrupt, the chain contradicts itself:
  /// a level that does not rise, a span that is not span_weight CPUs, too many levels. Both also happen to a
  /// healthy kernel that is rebuilding its domains at this very moment.
  [[nodiscard]] Result<std::vector<SchedDomainSnapshot>> read(const Kernel& kernel, KernelVirt lowest,
                                                              bool counting);

  /// Groups of members that this kernel lacks.
  [[nodiscard]] const std::vector<MissingCapability>& missing() const { return missing_; }

 private:
  [[nodiscard]] Result<SchedDomainSnapshot> read_one(const Kernel& kernel, KernelVirt domain, bool counting);
  [[nodiscard]] Result<SchedDomainStats> read_stats(const Kernel& kernel, KernelVirt domain);

  SchedDomainLayout layout_;
  SchedDomainStatsLayout stats_layout_;
  std::vector<MissingCapability> missing_;
  StructBytes bytes_;
  StructBytes stats_bytes_;
};

}  // namespace ktstr::introspect
