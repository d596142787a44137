#include "vmm/vcpu_statistics.h"

namespace ktstr::vmm {
namespace {

/// Counts are not expected to fall; one that did says nothing.
std::optional<std::uint64_t> difference(const std::optional<std::uint64_t>& earlier,
                                        const std::optional<std::uint64_t>& later) {
  if (!earlier || !later || *later < *earlier) return std::nullopt;
  return *later - *earlier;
}

}  // namespace

std::optional<std::uint64_t> scale_count(std::uint64_t count, std::uint64_t enabled_ns,
                                         std::uint64_t running_ns) {
  if (running_ns == 0) return std::nullopt;
  if (enabled_ns <= running_ns) return count;
  __extension__ using Wide = unsigned __int128;
  const auto scaled = static_cast<Wide>(count) * enabled_ns / running_ns;
  if (scaled > UINT64_MAX) return std::nullopt;
  return static_cast<std::uint64_t>(scaled);
}

HardwareCounters counted_between(const CounterReading& earlier, const CounterReading& later) {
  const auto enabled_ns = difference(earlier.enabled_ns, later.enabled_ns).value_or(0);
  const auto running_ns = difference(earlier.running_ns, later.running_ns).value_or(0);
  const auto between = [&](std::optional<std::uint64_t> CounterReading::*event) {
    const auto count = difference(earlier.*event, later.*event);
    return count ? scale_count(*count, enabled_ns, running_ns) : std::nullopt;
  };
  return {.cycles = between(&CounterReading::cycles),
          .instructions = between(&CounterReading::instructions),
          .cache_misses = between(&CounterReading::cache_misses),
          .branch_misses = between(&CounterReading::branch_misses),
          .scaled = running_ns != 0 && running_ns < enabled_ns};
}

KvmVcpuStatistics added_between(const KvmVcpuStatistics& earlier, const KvmVcpuStatistics& later) {
  KvmVcpuStatistics added;
  for_each_field<KvmVcpuStatistics>([&](const auto& field) {
    added.*field.member = difference(earlier.*field.member, later.*field.member);
  });
  return added;
}

}  // namespace ktstr::vmm
