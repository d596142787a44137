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
};

/// Both lines of one resource. A line that the kernel does not print, or prints as zeros because it has no
/// meaning there (cpu.full of the whole system, irq.some), is absent.
struct PsiResource {
  std::optional<PsiHalf> some;
  std::optional<PsiHalf> full;

  friend bool operator==(const PsiResource&, const PsiResource&) = default;
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
};

struct CgroupPsiStat {
  std::string path;
  PsiStat psi;

  friend bool operator==(const CgroupPsiStat&, const CgroupPsiStat&) = default;
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::PsiHalf> = [] {
  using T = introspect::PsiHalf;
  return record<T>("PsiHalf", "time that tasks were stalled for one resource",
                   field("avg10", &T::avg10, "running average over 10 s, percent times 100"),
                   field("avg60", &T::avg60, "running average over 60 s, percent times 100"),
                   field("avg300", &T::avg300, "running average over 300 s, percent times 100"),
                   field("total_usec", &T::total_usec, "since boot or the cgroup's creation, us"));
}();

template <>
inline constexpr auto describe<introspect::PsiResource> = [] {
  using T = introspect::PsiResource;
  return record<T>("PsiResource", "pressure of one resource",
                   field("some", &T::some, "at least one task was stalled"),
                   field("full", &T::full, "all tasks that were not idle were stalled"));
}();

template <>
inline constexpr auto describe<introspect::PsiStat> = [] {
  using T = introspect::PsiStat;
  return record<T>("PsiStat", "pressure stall information, as the kernel last added it up",
                   field("enabled", &T::enabled, "whether it is counted (cgroup.pressure)"),
                   field("avg_last_update_ns", &T::avg_last_update_ns,
                         "when the kernel last moved the averages, ns of its scheduler clock"),
                   field("cpu", &T::cpu, "waiting for a CPU"),
                   field("memory", &T::memory, "waiting for memory"), field("io", &T::io, "waiting for I/O"),
                   field("irq", &T::irq, "held up by interrupts (CONFIG_IRQ_TIME_ACCOUNTING)"));
}();

template <>
inline constexpr auto describe<introspect::CgroupPsiStat> = [] {
  using T = introspect::CgroupPsiStat;
  return record<T>("CgroupPsiStat", "pressure stall information of one cgroup",
                   field("path", &T::path, "from the root of the hierarchy: /ktstr/web"),
                   field("psi", &T::psi, "its pressure"));
}();
}  // namespace ktstr
