#include "engine/verdict/peers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_map>

namespace ktstr::engine {
namespace {

std::string likeness(const protocol::WorkerReport& report) {
  std::string text = report.role;
  for (const auto& cpus : report.affinities) text += "|" + cpus.to_string();
  return text;
}

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

std::vector<std::vector<const protocol::WorkerReport*>> peers_among(
    std::span<const protocol::WorkerReport* const> reports) {
  std::vector<std::vector<const protocol::WorkerReport*>> sets;
  std::unordered_map<std::string, std::size_t> by_likeness;
  for (const auto* report : reports) {
    const auto [place, is_new] = by_likeness.try_emplace(likeness(*report), sets.size());
    if (is_new) sets.emplace_back();
    sets[place->second].push_back(report);
  }
  return sets;
}

std::optional<double> coefficient_of_variation(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (mean == 0) return std::nullopt;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / count) / mean;
}

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
