// Names that differ in their numbers only, as one: worker-7 and worker-12 are worker-{N}.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace ktstr::introspect::ctprof {

/// Each run of digits as "{N}".
[[nodiscard]] std::string name_pattern(std::string_view name);

/// Names of two captures, under what they have in common.
class NamePatterns {
 public:
  /// Every name must be added before the first is looked up.
  void add(std::string_view name) { names_[name_pattern(name)].emplace(name); }
  /// The pattern when several names follow it; else the name itself: python3 stays python3.
  [[nodiscard]] std::string of(std::string_view name) const;

 private:
  std::map<std::string, std::set<std::string>> names_;  ///< by pattern
};

}  // namespace ktstr::introspect::ctprof
