#include "engine/report/shown_failures.h"

#include <fmt/format.h>

#include <map>

namespace ktstr::engine {
namespace {

constexpr std::size_t kMostOfACheck = 20;

struct Count {
  std::size_t all = 0, seen = 0;
};

}  // namespace

std::vector<std::string> shown_failures(std::span<const Failure> failures) {
  std::map<std::string, Count> counts;
  for (const auto& failure : failures) ++counts[failure.check].all;
  std::vector<std::string> shown;
  for (const auto& failure : failures) {
    auto& [all, seen] = counts[failure.check];
    ++seen;
    if (seen == all && all > kMostOfACheck + 1)
      shown.push_back(
          fmt::format("... {} failures more of {} (--json has all)", all - kMostOfACheck - 1, failure.check));
    if (seen == all || seen <= kMostOfACheck) shown.push_back(failure.message);
  }
  return shown;
}

}  // namespace ktstr::engine
