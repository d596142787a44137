// PsiStat: how long tasks waited for a resource, of the whole system or of one cgroup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// One line of a pressure file (Documentation/accounting/psi.rst).
struct PsiHalf {
  std::uint64_t avg10 = 0;
  std::uint64_t avg60 = 0;
  std::uint64_t avg300 = 0;
  std::uint64_t total_usec = 0;

  friend bool operator==(const PsiHalf&, const PsiHalf&) = default;

  static consteval auto describe() {
    using T = PsiHalf;
    return record("time that tasks were stalled for one resource",
                  field<&T::avg10>("running average over 10 s, percent times 100"),
                  field<&T::avg60>("running average over 60 s, percent times 100"),
                  field<&T::avg300>("running average over 300 s, percent times 100"),
                  field<&T::total_usec>("since boot or the cgroup's creation, us"));
  }
};

/// Both lines of one resource. A line that the kernel does not print, or prints as zeros because it has no
/// meaning there (cpu.full of the whole system, irq.some), is absent.
struct PsiResource {
  std::optional<PsiHalf> some;
  std::optional<PsiHalf> full;

  friend bool operator==(const PsiResource&, const PsiResource&) = default;

  static consteval auto describe() {
    using T = PsiResource;
    return record("pressure of one resource", field<&T::some>("at least one task was stalled"),
                  field<&T::full>("all tasks that were not idle were stalled"));
  }
};

/// A struct psi_group as it stands in memory. Each CPU counts for itself; the kernel adds that to the totals
/// whenever one of the group's pressure files is read in the guest and, while tasks run in the group, every
/// two seconds, which is also when the averages move (avg_last_update_ns). So the totals are those of some
/// moment since then: a pressure file read now would say the same or more.
struct PsiStat {
  bool enabled = false;
  std::uint64_t avg_last_update_ns = 0;
  PsiResource cpu;
  PsiResource memory;
  PsiResource io;
  std::optional<PsiResource> irq;

  friend bool operator==(const PsiStat&, const PsiStat&) = default;

  static consteval auto describe() {
    using T = PsiStat;
    return record(
        "pressure stall information, as the kernel last added it up",
        field<&T::enabled>("whether it is counted (cgroup.pressure)").from("psi_group"),
        field<&T::avg_last_update_ns>("when the kernel last moved the averages, ns of its scheduler clock")
            .from("psi_group", {"avg_last_update"}),
        field<&T::cpu>("waiting for a CPU"), field<&T::memory>("waiting for memory"),
        field<&T::io>("waiting for I/O"),
        field<&T::irq>("held up by interrupts (CONFIG_IRQ_TIME_ACCOUNTING)"));
  }
};

struct CgroupPsiStat {
  std::string path;
  PsiStat psi;

  friend bool operator==(const CgroupPsiStat&, const CgroupPsiStat&) = default;

  static consteval auto describe() {
    using T = CgroupPsiStat;
    return record("pressure stall information of one cgroup",
                  field<&T::path>("from the root of the hierarchy: /ktstr/web"),
                  field<&T::psi>("its pressure"));
  }
};

}  // namespace ktstr::introspect
