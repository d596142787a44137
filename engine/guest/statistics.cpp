#include "engine/guest/statistics.h"

#include <unistd.h>

#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

constexpr char kBpfSwitch[] = "/proc/sys/kernel/bpf_stats_enabled";
constexpr char kSchedstatsSwitch[] = "/proc/sys/kernel/sched_schedstats";

Result<std::optional<bool>> set_switch(const std::string& path, bool on) {
  if (on) {
    const auto written = write_control(path, "1");
    if (!written && written.error().code != ErrorCode::kNotFound) return Error(written.error());
  }
  const auto found = read_file(path, 16);
  if (!found && found.error().code == ErrorCode::kNotFound) return std::optional<bool>();
  if (!found) return Error(found.error());
  return std::optional(!found->text.empty() && found->text.front() != '0');
}

}  // namespace

Result<protocol::StatisticsSwitches> set_statistics(const protocol::SetStatistics& request) {
  const bool owns_kernel = ::getpid() == 1;
  protocol::StatisticsSwitches switches;
  switches.bpf_programs = KTSTR_TRY(set_switch(kBpfSwitch, request.on && owns_kernel));
  switches.schedstats = KTSTR_TRY(set_switch(kSchedstatsSwitch, request.on && owns_kernel));
  return switches;
}

}  // namespace ktstr::engine::guest
