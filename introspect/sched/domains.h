// struct sched_domain (include/linux/sched/topology.h): the levels that one CPU balances load over.
#pragma once

#include <cstddef>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/reader.h"
#include "introspect/sched/cpu_snapshot.h"

namespace ktstr::introspect {

/// SMT, cluster, cache, package, and one level per NUMA distance: a longer chain is no chain of domains.
inline constexpr std::size_t kMaxDomainLevels = 32;

struct SchedDomainLayout : Reader<SchedDomainSnapshot, "sched_domain"> {
  Field<KernelVirt> parent{*this, {"parent"}};
  OptionalField<KernelVirt> name_pointer{*this, {"name"}};  // CONFIG_SCHED_DEBUG in older kernels
  OptionalEmbedded span{*this, {"span"}};

  /// Where the domain's cpumask is: its last member or, where there is no such member, right behind the
  /// structure.
  [[nodiscard]] KernelVirt span_address(KernelVirt domain) const {
    return span.present() ? span.address(domain) : domain + size();
  }
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

  SchedDomainLayout layout_;
  std::vector<MissingCapability> missing_;
  StructBytes bytes_;
};

}  // namespace ktstr::introspect
