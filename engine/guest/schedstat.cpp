#include "engine/guest/schedstat.h"

#include <cinttypes>
#include <cstdio>

#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {

std::optional<Schedstat> read_schedstat(const std::string& pid) {
  const auto file = read_file("/proc/" + pid + "/schedstat", 256);
  if (!file) return std::nullopt;
  Schedstat stat{};
  if (std::sscanf(file->text.c_str(), "%" SCNu64 " %" SCNu64 " %" SCNu64, &stat.cpu_time_ns,
                  &stat.run_delay_ns, &stat.run_count) != 3)
    return std::nullopt;
  if (stat.run_count == 0) return std::nullopt;
  return stat;
}

}  // namespace ktstr::engine::guest
