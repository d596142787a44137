// Which CPUs share a last-level cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ktstr::bpf {

struct CpuLlcs {
  std::uint32_t count = 1;
  std::vector<std::uint32_t> of_cpu;  ///< by CPU number; numbers from 0, in the order of their first CPU
};

/// From `cpus`, the directory /sys/devices/system/cpu. A CPU without an L3 (index3) is in LLC 0.
[[nodiscard]] CpuLlcs read_cpu_llcs(const std::filesystem::path& cpus);

}  // namespace ktstr::bpf
