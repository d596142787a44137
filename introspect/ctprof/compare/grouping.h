// Threads in groups that two captures have in common.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/ctprof/compare/name_pattern.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

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
