#include "engine/run/vcpu_meter.h"

namespace ktstr::engine {

void VcpuMeter::begin() {
  begin_ = Clock::now();
  if (auto before = machine_.statistics()) before_ = std::move(*before);
}

std::optional<VcpuStatisticsReport> VcpuMeter::end() {
  if (!before_) return std::nullopt;
  const auto after = machine_.statistics();
  if (!after) return std::nullopt;
  const std::chrono::nanoseconds interval = Clock::now() - begin_;
  return vcpu_report(*before_, *after, static_cast<std::uint64_t>(interval.count()));
}

}  // namespace ktstr::engine
