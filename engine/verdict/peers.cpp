#include "engine/verdict/peers.h"

#include <string>
#include <unordered_map>

namespace ktstr::engine {
namespace {

std::string likeness(const protocol::WorkerReport& report) {
  std::string text = report.role;
  for (const auto& cpus : report.affinities) text += "|" + cpus.to_string();
  return text;
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

}  // namespace ktstr::engine
