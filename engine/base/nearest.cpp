#include "engine/base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace ktstr {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substituted}));
    }
  }
  return row.back();
}

constexpr std::size_t kLongestListShown = 12;
constexpr std::size_t kLongestNameCompared = 64;

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view name,
                                             std::span<const std::string_view> candidates) {
  if (name.size() > kLongestNameCompared) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto candidate : candidates) {
    const auto difference = std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
    if (difference >= best_distance) continue;  // no distance is smaller than it
    if (const auto distance = edit_distance(name, candidate); distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  if (const auto nearest = nearest_name(name, candidates))
    return " (did you mean \"" + std::string(*nearest) + "\"?)";
  if (candidates.empty() || candidates.size() > kLongestListShown) return "";
  std::string text = " (known: ";
  for (const auto candidate : candidates) text.append(candidate).append(", ");
  text.resize(text.size() - 2);
  return text + ")";
}

}  // namespace ktstr
