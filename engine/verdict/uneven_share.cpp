#include "engine/verdict/uneven_share.h"

#include <algorithm>

namespace ktstr::engine {
namespace {

/// All CPUs that are connected with those of `group` by groups that share some.
CpuSet connected_cpus(const WorkerGroup& group, std::span<const WorkerGroup> groups) {
  auto cpus = group.allowed;
  for (bool grown = true; grown;) {
    const auto before = cpus;
    for (const auto& other : groups)
      if (!(other.allowed & cpus).empty()) cpus = cpus | other.allowed;
    grown = cpus != before;
  }
  return cpus;
}

}  // namespace

double UnevenShare::points() const {
  const auto fewest = static_cast<double>(workers / cpus);
  return 100 / fewest - 100 / (fewest + 1);
}

double UnevenShare::most_off_cpu_pct() const {
  return 100 - 100 / (static_cast<double>(workers / cpus) + 1);
}

bool always_wanted_to_run(const protocol::WorkerReport& report) {
  if (!report.schedstat_run_delay_ns || !report.schedstat_run_count || report.wall_ns == 0) return false;
  const auto wanted =
      static_cast<double>(report.cpu_ns) + static_cast<double>(*report.schedstat_run_delay_ns);
  return wanted >= 0.9 * static_cast<double>(report.wall_ns);
}

std::optional<UnevenShare> uneven_share(const WorkerGroup& group, std::span<const WorkerGroup> groups) {
  const auto cpus = connected_cpus(group, groups);
  UnevenShare share{.workers = 0, .cpus = cpus.to_vector().size()};
  for (const auto& other : groups)
    if (!(other.allowed & cpus).empty())
      share.workers += static_cast<std::size_t>(std::ranges::count_if(other.reports, always_wanted_to_run));
  const bool uneven = share.cpus > 0 && share.workers > share.cpus && share.workers % share.cpus != 0;
  return uneven ? std::optional(share) : std::nullopt;
}

}  // namespace ktstr::engine
