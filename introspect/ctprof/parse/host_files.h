// Parsers of files that describe the machine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ktstr::introspect::ctprof {

/// What /proc/cpuinfo says of the processors. A machine without "physical id" lines has none counted.
struct CpuInfo {
  std::optional<std::string> model{};
  std::optional<std::uint64_t> packages{};
  std::optional<std::uint64_t> cores{};
};
[[nodiscard]] CpuInfo parse_cpuinfo(std::string_view text);

/// A line "KEY: N kB" of /proc/meminfo, in bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_meminfo(std::string_view text, std::string_view key);

/// The options of a kernel's .config that metrics depend on: "y" or "n".
[[nodiscard]] std::map<std::string, std::string> parse_kernel_config(std::string_view text);

/// The first number of /proc/loadavg.
[[nodiscard]] std::optional<double> parse_loadavg(std::string_view text);

}  // namespace ktstr::introspect::ctprof
