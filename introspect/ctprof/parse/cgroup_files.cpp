#include "introspect/ctprof/parse/cgroup_files.h"

#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

/// All of the file but the newline at its end.
std::string_view only_line(std::string_view text) {
  const auto line = next_line(text);
  return line && text.empty() ? trim(*line) : std::string_view{};
}

std::optional<std::uint64_t> at(const std::map<std::string, std::uint64_t>& values, const char* key) {
  const auto found = values.find(key);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

/// "12.34" as 1234: the kernel writes two decimals.
std::optional<std::uint64_t> hundredths(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos || text.size() - dot != 3) return std::nullopt;
  const auto whole = to_number<std::uint32_t>(text.substr(0, dot));
  const auto rest = to_number<std::uint32_t>(text.substr(dot + 1));
  if (!whole || !rest) return std::nullopt;
  return std::uint64_t{*whole} * 100 + *rest;
}

/// What follows "key=" in the next word.
std::optional<std::string_view> take_value(std::string_view& words, std::string_view key) {
  const auto word = next_word(words);
  if (!word || !word->starts_with(key)) return std::nullopt;
  return word->substr(key.size());
}

/// "avg10=0.00 avg60=0.00 avg300=0.00 total=0", taken off `words`.
std::optional<PsiHalf> parse_half(std::string_view& words) {
  std::optional<std::uint64_t> averages[3];
  constexpr std::string_view kKeys[] = {"avg10=", "avg60=", "avg300="};
  for (std::size_t i = 0; i < std::size(kKeys); ++i) {
    const auto value = take_value(words, kKeys[i]);
    if (value) averages[i] = hundredths(*value);
    if (!averages[i]) return std::nullopt;
  }
  const auto total_text = take_value(words, "total=");
  const auto total = total_text ? to_number<std::uint64_t>(*total_text) : std::nullopt;
  if (!total) return std::nullopt;
  return PsiHalf{*averages[0], *averages[1], *averages[2], *total};
}

}  // namespace

std::optional<std::map<std::string, std::uint64_t>> parse_flat_keyed(std::string_view text) {
  std::map<std::string, std::uint64_t> values;
  while (const auto line = next_line(text)) {
    const auto space = line->find(' ');
    if (space == std::string_view::npos) continue;
    if (const auto number = to_number<std::uint64_t>(line->substr(space + 1)))
      values.insert_or_assign(to_utf8(line->substr(0, space)), *number);
  }
  return values.empty() ? std::nullopt : std::optional(std::move(values));
}

void parse_cpu_stat(std::string_view text, CgroupCpu& cpu) {
  const auto values = parse_flat_keyed(text);
  if (!values) return;
  cpu.usage_usec = at(*values, "usage_usec");
  cpu.nr_throttled = at(*values, "nr_throttled");
  cpu.throttled_usec = at(*values, "throttled_usec");
}

void parse_cpu_max(std::string_view text, CgroupCpu& cpu) {
  const auto line = only_line(text);
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return;
  const auto quota = line.substr(0, space);
  const auto number = to_number<std::uint64_t>(quota);
  if (number || quota == "max") cpu.max_quota_usec = Limit{number};
  cpu.max_period_usec = to_number<std::uint64_t>(line.substr(space + 1));
}

std::optional<std::uint64_t> parse_single(std::string_view text) {
  return to_number<std::uint64_t>(only_line(text));
}

std::optional<std::int32_t> parse_single_signed(std::string_view text) {
  return to_number<std::int32_t>(only_line(text));
}

std::optional<Limit> parse_limit(std::string_view text) {
  const auto line = only_line(text);
  if (line == "max") return Limit{};
  const auto number = to_number<std::uint64_t>(line);
  return number ? std::optional(Limit{number}) : std::nullopt;
}

std::optional<std::string> parse_single_word(std::string_view text) {
  const auto line = only_line(text);
  return line.empty() ? std::nullopt : std::optional(to_utf8(line));
}

std::optional<PsiResource> parse_psi(std::string_view text) {
  PsiResource resource;
  while (auto word = next_word(text)) {
    if (*word == "some") resource.some = parse_half(text);
    if (*word == "full") resource.full = parse_half(text);
  }
  return resource == PsiResource{} ? std::nullopt : std::optional(resource);
}

}  // namespace ktstr::introspect::ctprof
