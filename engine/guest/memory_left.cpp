#include "engine/guest/memory_left.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/guest/kernel_file.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::guest {
namespace {

/// What the agent needs to go on: it moves workers, reads files and reports.
constexpr std::uint64_t kReserveBytes = 16 << 20;

std::string in_megabytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MB";
}

}  // namespace

std::optional<std::uint64_t> memory_left() {
  const auto file = read_file("/proc/meminfo", 4096);
  const auto kilobytes = file ? number_of(file->text, "MemAvailable") : std::nullopt;
  if (!kilobytes) return std::nullopt;
  const auto available = *kilobytes << 10;
  return available - std::min(available, kReserveBytes);
}

Status check_memory_for(std::size_t workers) {
  const auto left = memory_left();
  const auto needed = workers * kWorkerBytes;
  if (!left || *left >= needed) return ok();
  return Error{ErrorCode::kUnavailable, "out of memory: " + std::to_string(workers) +
                                            " more workers need about " + in_megabytes(needed) +
                                            ", the guest has " + in_megabytes(*left) + " left"};
}

Error out_of_memory(std::size_t forked, std::size_t workers) {
  return {ErrorCode::kUnavailable, fmt::format("out of memory: after {} of {} workers; all need about {}",
                                               forked, workers, in_megabytes(workers * kWorkerBytes))};
}

}  // namespace ktstr::engine::guest
