// Command line and exit status of scx_ktstr.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ktstr::bpf {

/// How the process ends.
enum ExitStatus : int {
  kDetached = 0,   ///< removed by SIGTERM or SIGINT, or the scheduler left without an error
  kBadUsage = 2,   ///< unknown or wrong arguments
  kNotLoaded = 3,  ///< the kernel refused to load or attach it
  kKickedOut = 4,  ///< the kernel removed it because of an error
};

/// A variable of the scheduler and what it is to be when the scheduler is loaded.
struct VariableSetting {
  std::string name;
  std::vector<std::byte> value;  ///< at most as long as the variable; the rest stays as it is
};

struct Options {
  std::string ops_name = "ktstr";  ///< what /sys/kernel/sched_ext/root/ops shows
  std::uint32_t timeout_ms = 5000;
  std::uint32_t slow_load_ms = 0;  ///< time between loading and attaching
  std::uint32_t large_hash = 0;    ///< entries of the map large_hash; 0: it is not made
  std::vector<VariableSetting> settings;
};

/// The options; or, after printing help or what is wrong, the status to exit with in `exit_status`.
struct ParsedOptions {
  Options options;
  int exit_status = -1;  ///< -1: go on
};
[[nodiscard]] ParsedOptions parse_options(int argc, char** argv);

}  // namespace ktstr::bpf
