#include "introspect/ctprof/parse/cgroup_files.h"
#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

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

std::optional<PsiResource> parse_psi(std::string_view text) {
  PsiResource resource;
  while (auto word = next_word(text)) {
    if (*word == "some") resource.some = parse_half(text);
    if (*word == "full") resource.full = parse_half(text);
  }
  return resource == PsiResource{} ? std::nullopt : std::optional(resource);
}

}  // namespace ktstr::introspect::ctprof
