// struct psi_group (include/linux/psi_types.h): of the whole system and of every cgroup.
#pragma once

#include <cstddef>
#include <optional>

#include "introspect/kernel.h"
#include "introspect/machine/cgroup_tree.h"
#include "introspect/machine/readings.h"
#include "introspect/machine/stats.h"
#include "introspect/reader.h"

namespace ktstr::introspect {

struct PsiGroupLayout : Reader<PsiStat, "psi_group"> {
  Embedded total{*this, {"total"}};  ///< [NR_PSI_AGGREGATORS][NR_PSI_STATES - 1], ns
  Embedded avg{*this, {"avg"}};      ///< [NR_PSI_STATES - 1][3], percent with 11 fraction bits
};

/// Reads pressure stall information. Const use is thread-safe.
class PsiReader {
 public:
  /// Errors: what this kernel lacks (CONFIG_PSI); kUnavailable, it was booted with PSI off (psi=0).
  [[nodiscard]] static Result<PsiReader> create(const Kernel& kernel);

  /// /proc/pressure: kOutOfRange when it can't be read.
  [[nodiscard]] Result<PsiStat> read_system(const Kernel& kernel) const;

  /// A row per cgroup other than the root (whose figures are the system's), parents before their children.
  /// Cgroups without a psi_group (boot argument cgroup_disable=pressure) have no row.
  [[nodiscard]] Readings<CgroupPsiStat> read_cgroups(const Kernel& kernel) const;

 private:
  /// Enumerators of enum psi_states; absent where the kernel has no such line.
  struct Resource {
    std::optional<std::size_t> some, full;
  };

  [[nodiscard]] Status find_states(const Btf& btf);
  [[nodiscard]] std::optional<PsiStat> read_group(const Kernel& kernel, KernelVirt group) const;
  [[nodiscard]] PsiResource resource(const StructBytes& bytes, const Resource& states) const;
  [[nodiscard]] std::optional<PsiHalf> half(const StructBytes& bytes, std::optional<std::size_t> state) const;

  PsiGroupLayout group_;
  CgroupTree cgroups_;
  KernelVirt system_;
  std::size_t states_ = 0;       ///< that totals and averages are kept of
  std::size_t first_total_ = 0;  ///< of the aggregator that feeds the pressure files
  Resource cpu_, memory_, io_, irq_;
};

}  // namespace ktstr::introspect
