// Threads in groups that two captures have in common.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

/// Each run of digits as "{N}": worker-7 and worker-12 are worker-{N}.
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

enum class GroupBy : std::uint8_t { kAll, kPcomm, kCgroup, kComm, kCommExact };

struct GroupOptions {
  GroupBy by = GroupBy::kPcomm;
  /// Whether names that differ in numbers only are one (never for kCommExact).
  bool normalize = true;
  /// Cgroups that match one of these (fnmatch(3), "*" stops at "/") go by its text, the first that matches.
  std::vector<std::string> cgroup_flatten{};
  /// Whether the process that captured is among them.
  bool capturers = true;
};

/// Threads by group. The records are the snapshot's.
using Groups = std::map<std::string, std::vector<const ThreadRecord*>>;

/// Puts each capture's threads in groups; names are normalised by the names of all captures together. A
/// thread whose name or cgroup is absent is in the group "-".
[[nodiscard]] std::vector<Groups> group_threads(std::span<const Snapshot* const> snapshots,
                                                const GroupOptions& options);

/// The path, or the first of the globs that it matches.
[[nodiscard]] std::string flatten_cgroup(const std::string& path, std::span<const std::string> globs);

}  // namespace ktstr::introspect::ctprof

namespace ktstr {
template <>
inline constexpr auto describe<introspect::ctprof::GroupBy> = [] {
  using enum introspect::ctprof::GroupBy;
  return enumeration<introspect::ctprof::GroupBy>("GroupBy",
                                                  {{"all", kAll, "one group"},
                                                   {"pcomm", kPcomm, "the process's name"},
                                                   {"cgroup", kCgroup, "the cgroup"},
                                                   {"comm", kComm, "the thread's name"},
                                                   {"comm-exact", kCommExact, "that name as it is"}});
}();
}  // namespace ktstr
