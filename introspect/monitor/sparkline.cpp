#include "introspect/monitor/sparkline.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace ktstr::introspect {
namespace {

constexpr std::array<std::string_view, 8> kGlyphs = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

/// The glyph for `above` of `range`. The product of two 64-bit numbers needs 128 bits.
std::size_t glyph_index(std::uint64_t above, std::uint64_t range) {
  return static_cast<std::size_t>(static_cast<unsigned __int128>(above) * (kGlyphs.size() - 1) / range);
}

}  // namespace

std::string render_sparkline(std::span<const std::uint64_t> values) {
  std::string line;
  if (values.empty()) return line;
  const auto [least, greatest] = std::ranges::minmax(values);
  for (const std::uint64_t value : values) {
    const std::size_t flat = greatest == 0 ? 0 : kGlyphs.size() / 2;
    line += kGlyphs[least == greatest ? flat : glyph_index(value - least, greatest - least)];
  }
  return line;
}

std::string render_sparkline(std::span<const std::int64_t> values) {
  std::vector<std::uint64_t> clamped;
  clamped.reserve(values.size());
  for (const std::int64_t value : values)
    clamped.push_back(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
  return render_sparkline(std::span<const std::uint64_t>(clamped));
}

}  // namespace ktstr::introspect
