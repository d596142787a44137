#include "introspect/ctprof/compare/grouping.h"

#include <fnmatch.h>

namespace ktstr::introspect::ctprof {
namespace {

constexpr const char* kNoName = "-";

/// What a thread is called on the axis; absent values share a name.
std::string name_of(const ThreadRecord& thread, const GroupOptions& options) {
  switch (options.by) {
    case GroupBy::kAll:
      return "all";
    case GroupBy::kPcomm:
      return thread.pcomm.value_or(kNoName);
    case GroupBy::kCgroup:
      return thread.cgroup ? flatten_cgroup(*thread.cgroup, options.cgroup_flatten) : kNoName;
    case GroupBy::kComm:
    case GroupBy::kCommExact:
      return thread.comm.value_or(kNoName);
  }
  return kNoName;
}

}  // namespace

std::string name_pattern(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string pattern;
  bool in_number = false;
  for (const char c : name) {
    if (!is_digit(c))
      pattern += c;
    else if (!in_number)
      pattern += "{N}";
    in_number = is_digit(c);
  }
  return pattern;
}

std::string NamePatterns::of(std::string_view name) const {
  auto pattern = name_pattern(name);
  const auto found = names_.find(pattern);
  return found != names_.end() && found->second.size() > 1 ? pattern : std::string(name);
}

std::string flatten_cgroup(const std::string& path, std::span<const std::string> globs) {
  for (const auto& glob : globs)
    if (::fnmatch(glob.c_str(), path.c_str(), FNM_PATHNAME) == 0) return glob;
  return path;
}

std::vector<Groups> group_threads(std::span<const Snapshot* const> snapshots, const GroupOptions& options) {
  const bool normalize = options.normalize && options.by != GroupBy::kCommExact;
  NamePatterns patterns;
  if (normalize)
    for (const auto* snapshot : snapshots)
      for (const auto& thread : snapshot->threads)
        if (options.capturers || !is_capturer(*snapshot, thread)) patterns.add(name_of(thread, options));
  std::vector<Groups> groups(snapshots.size());
  for (std::size_t i = 0; i < snapshots.size(); ++i)
    for (const auto& thread : snapshots[i]->threads) {
      if (!options.capturers && is_capturer(*snapshots[i], thread)) continue;
      const auto name = name_of(thread, options);
      groups[i][normalize ? patterns.of(name) : name].push_back(&thread);
    }
  return groups;
}

}  // namespace ktstr::introspect::ctprof
