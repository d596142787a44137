// smaps_rollup and cgroup.
#include "introspect/ctprof/parse/keyed_lines.h"
#include "introspect/ctprof/parse/task_files.h"

namespace ktstr::introspect::ctprof {

std::optional<std::map<std::string, std::uint64_t>> parse_smaps_rollup(std::string_view text) {
  constexpr std::string_view kUnit = " kB";
  std::map<std::string, std::uint64_t> kib;
  for_each_keyed_line(text, [&](std::string_view key, std::string_view value) {
    if (!value.ends_with(kUnit)) return;
    if (const auto number = to_number<std::uint64_t>(value.substr(0, value.size() - kUnit.size())))
      kib.insert_or_assign(to_utf8(key), *number);
  });
  return kib.empty() ? std::nullopt : std::optional(std::move(kib));
}

std::optional<std::string> parse_cgroup_path(std::string_view text) {
  constexpr std::string_view kUnified = "0::";
  while (const auto line = next_line(text))
    if (line->starts_with(kUnified)) return to_utf8(line->substr(kUnified.size()));
  return std::nullopt;
}

}  // namespace ktstr::introspect::ctprof
