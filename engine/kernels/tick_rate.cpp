#include "engine/kernels/tick_rate.h"

#include <charconv>

namespace ktstr::engine {

std::optional<std::uint32_t> tick_rate(std::string_view config) {
  constexpr std::string_view kName = "\nCONFIG_HZ=";
  constexpr std::uint32_t kMost = 1000;  // the largest choice of kernel/Kconfig.hz
  const auto at = config.find(kName);
  if (at == config.npos) return std::nullopt;
  const auto value = config.substr(at + kName.size());
  std::uint32_t rate = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rate);
  if (error != std::errc{} || rate == 0 || rate > kMost) return std::nullopt;
  if (end != value.data() + value.size() && *end != '\n') return std::nullopt;
  return rate;
}

}  // namespace ktstr::engine
