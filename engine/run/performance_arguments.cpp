#include "engine/run/performance_arguments.h"

#include <fmt/format.h>

namespace ktstr::engine {

std::string performance_arguments(const vmm::PerformanceOptions& options) {
  const bool all = options.dedicated_cpus;  // which --performance alone says
  std::string text = all ? " --performance" : "";
  if (options.pin_vcpus && !all) text += " --pin";
  if (options.realtime_priority && (!all || options.realtime_priority != vmm::kLowestRealtimePriority))
    text += fmt::format(" --realtime={}", *options.realtime_priority);
  if (options.halt_poll) text += " --halt-poll " + format_duration(*options.halt_poll);
  if (options.huge_pages && !all) text += " --hugepages";
  if (options.prefault && !all) text += " --prefault";
  return text;
}

}  // namespace ktstr::engine
