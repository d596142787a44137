#include "introspect/ctprof/compare/renames.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace ktstr::introspect::ctprof {
namespace {

constexpr double kAlikeEnough = 0.6;
constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kMostCharacters = 256;  ///< paths of cgroups can be long, and the work is their product

/// The length of the longest common subsequence.
std::size_t common_length(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (const char c : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto above = row[j + 1];
      row[j + 1] = c == b[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

double similarity(std::string_view a, std::string_view b) {
  a = a.substr(0, kMostCharacters);
  b = b.substr(0, kMostCharacters);
  if (a.empty() && b.empty()) return 1;
  return 2.0 * static_cast<double>(common_length(a, b)) / static_cast<double>(a.size() + b.size());
}

std::vector<Rename> find_renames(const std::vector<std::string>& only_before,
                                 const std::vector<std::string>& only_after) {
  std::vector<Rename> candidates;
  for (std::size_t i = 0; i < std::min(only_before.size(), kMostNames); ++i)
    for (std::size_t j = 0; j < std::min(only_after.size(), kMostNames); ++j)
      if (const double score = similarity(only_before[i], only_after[j]); score >= kAlikeEnough)
        candidates.push_back({only_before[i], only_after[j], score});
  std::ranges::sort(candidates, [](const Rename& a, const Rename& b) {
    return std::tie(b.score, a.before, a.after) < std::tie(a.score, b.before, b.after);
  });
  std::vector<Rename> renames;
  std::set<std::string_view> used_before, used_after;
  for (const auto& candidate : candidates) {
    if (used_before.contains(candidate.before) || used_after.contains(candidate.after)) continue;
    used_before.insert(candidate.before);
    used_after.insert(candidate.after);
    renames.push_back(candidate);
  }
  return renames;
}

}  // namespace ktstr::introspect::ctprof
