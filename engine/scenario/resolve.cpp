#include "engine/scenario/resolve.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "engine/base/result.h"
#include "engine/base/write.h"

namespace ktstr::engine {
namespace {

/// Writes a spec's parameters as a script would: `disjoint(2, 2)`.
template <class Variant>
std::string spell(const Variant& spec) {
  return std::visit(
      [](const auto& choice) {
        using Choice = std::remove_cvref_t<decltype(choice)>;
        std::string parameters;
        for_each_field<Choice>([&](const auto& field) {
          const auto text = to_json(choice.*field.member);
          if (text != "null") parameters += (parameters.empty() ? "" : ", ") + text;
        });
        const std::string name(describe<Choice>.name);
        return parameters.empty() ? name : name + "(" + parameters + ")";
      },
      spec);
}

bool is_fraction(double value) {
  return std::isfinite(value) && value >= 0 && value <= 1;
}

std::string cpus_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " usable CPU" : " usable CPUs");
}

/// CPUs [first, last) of the usable ones, counted in ascending order.
CpuSet slice(const CpuSet& usable, std::size_t first, std::size_t last) {
  const auto cpus = usable.to_vector();
  CpuSet set;
  for (auto i = first; i < std::min(last, cpus.size()); ++i) set.add(cpus[i]);
  return set;
}

/// Fractions are decimal in scripts: 0.29 of 100 CPUs is 29, whatever the binary rounding.
std::size_t part_of(std::size_t count, double fraction) {
  return static_cast<std::size_t>(std::floor(fraction * static_cast<double>(count) + 1e-9));
}

struct CpusetResolver {
  const vmm::Topology& topology;
  CpuSet usable = usable_cpus(topology);

  Result<CpuSet> operator()(const LlcCpuset& spec) const {
    if (spec.index >= topology.llcs)
      return invalid_argument("index must be below " + std::to_string(topology.llcs) +
                              ", the topology's LLCs");
    return usable & topology.llc_cpus(spec.index);
  }
  Result<CpuSet> operator()(const NumaCpuset& spec) const {
    if (spec.node >= topology.nodes)
      return invalid_argument("node must be below " + std::to_string(topology.nodes) +
                              ", the topology's NUMA nodes");
    const auto cpus = topology.node_cpus(spec.node);
    if (cpus.empty())
      return invalid_argument("node " + std::to_string(spec.node) + " has no CPUs, only memory");
    return usable & cpus;
  }
  Result<CpuSet> operator()(const RangeCpuset& spec) const {
    if (!is_fraction(spec.start) || !is_fraction(spec.end))
      return invalid_argument("start and end must be fractions from 0 to 1");
    if (spec.start >= spec.end) return invalid_argument("start must be below end");
    return slice(usable, part_of(usable.count(), spec.start), part_of(usable.count(), spec.end));
  }
  Result<CpuSet> operator()(const DisjointCpuset& spec) const {
    KTSTR_TRY(check_part(spec.index, spec.of));
    return slice(usable, part_start(spec.index, spec.of), part_start(spec.index + 1, spec.of));
  }
  Result<CpuSet> operator()(const OverlapCpuset& spec) const {
    KTSTR_TRY(check_part(spec.index, spec.of));
    if (!is_fraction(spec.fraction)) return invalid_argument("fraction must be from 0 to 1");
    const auto first = part_start(spec.index, spec.of);
    const auto last = part_start(spec.index + 1, spec.of);
    const auto reach =
        static_cast<std::size_t>(std::ceil(spec.fraction * static_cast<double>(last - first) - 1e-9));
    return slice(usable, first - std::min(first, reach), last + reach);
  }
  Result<CpuSet> operator()(const ExactCpuset& spec) const {
    if (spec.cpus.empty()) return invalid_argument("names no CPU");
    if (!spec.cpus.is_subset_of(CpuSet::range(0, topology.cpus())))
      return invalid_argument("the topology has only CPUs 0-" + std::to_string(topology.cpus() - 1));
    return spec.cpus;
  }

 private:
  Status check_part(std::uint32_t index, std::uint32_t of) const {
    if (of == 0) return invalid_argument("of must be at least 1");
    if (index >= of) return invalid_argument("index must be below " + std::to_string(of));
    if (of > usable.count())
      return invalid_argument(cpus_text(usable.count()) + " can't make " + std::to_string(of) + " parts");
    return ok();
  }
  std::size_t part_start(std::size_t index, std::size_t of) const { return index * usable.count() / of; }
};

CpuSet random_subset(const std::vector<std::size_t>& pool, std::size_t count, std::mt19937_64& random) {
  auto cpus = pool;
  CpuSet set;
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(cpus[i], cpus[i + random() % (cpus.size() - i)]);
    set.add(cpus[i]);
  }
  return set;
}

struct AffinityResolver {
  const CpuSet& cpuset;
  const vmm::Topology& topology;
  std::size_t workers;
  std::uint64_t seed;

  using Sets = Result<std::vector<CpuSet>>;

  Sets operator()(const InheritAffinity&) const { return std::vector<CpuSet>(workers); }
  Sets operator()(const RandomSubsetAffinity& spec) const {
    const auto pool = (spec.from ? *spec.from & cpuset : cpuset).to_vector();
    if (spec.count == 0) return invalid_argument("count must be at least 1");
    if (spec.count > pool.size())
      return invalid_argument("count must be at most " + std::to_string(pool.size()) +
                              ", the CPUs to choose from");
    std::mt19937_64 random(seed);
    std::vector<CpuSet> sets;
    for (std::size_t i = 0; i < workers; ++i) sets.push_back(random_subset(pool, spec.count, random));
    return sets;
  }
  Sets operator()(const LlcAlignedAffinity&) const {
    std::size_t best = 0;
    for (std::size_t llc = 1; llc < topology.llcs; ++llc)
      if ((topology.llc_cpus(llc) & cpuset).count() > (topology.llc_cpus(best) & cpuset).count()) best = llc;
    return same(topology.llc_cpus(best));
  }
  Sets operator()(const CrossCgroupAffinity&) const { return same(usable_cpus(topology)); }
  Sets operator()(const SingleCpuAffinity&) const { return same({cpuset.to_vector().front()}); }
  Sets operator()(const ExactAffinity& spec) const {
    return same(KTSTR_TRY(CpusetResolver{topology}(ExactCpuset{spec.cpus})));
  }
  Sets operator()(const SmtSiblingPairAffinity&) const {
    for (const auto cpu : cpuset.to_vector())
      if (const auto siblings = topology.core_cpus(cpu) & cpuset; siblings.count() >= 2)
        return same(siblings);
    return invalid_argument("the cpuset " + cpuset.to_string() + " holds no two SMT siblings");
  }

 private:
  Sets same(const CpuSet& set) const {
    if ((set & cpuset).empty())
      return invalid_argument("no CPU of " + set.to_string() + " lies in the cpuset " + cpuset.to_string());
    return std::vector<CpuSet>(workers, set);
  }
};

}  // namespace

CpuSet usable_cpus(const vmm::Topology& topology) {
  const auto cpus = topology.cpus();
  return CpuSet::range(0, cpus > 2 ? cpus - 1 : cpus);
}

std::string to_text(const CpusetSpec& spec) {
  return spell(spec);
}
std::string to_text(const AffinitySpec& spec) {
  return spell(spec);
}

Result<CpuSet> resolve_cpuset(const CpusetSpec& spec, const vmm::Topology& topology) {
  auto cpus = KTSTR_TRY(std::visit(CpusetResolver{topology}, spec), to_text(spec));
  if (cpus.empty())
    return invalid_argument(to_text(spec) + ": holds no CPU of the " +
                            cpus_text(usable_cpus(topology).count()));
  return cpus;
}

Result<std::vector<CpuSet>> resolve_affinity(const AffinitySpec& spec, const CpuSet& cpuset,
                                             const vmm::Topology& topology, std::size_t workers,
                                             std::uint64_t seed) {
  return KTSTR_TRY(std::visit(AffinityResolver{cpuset, topology, workers, seed}, spec), to_text(spec));
}

}  // namespace ktstr::engine
