// The host's time stamp counter.
#pragma once

#include <cstdint>

namespace ktstr::vmm::qemu {

/// The counter's rate in kHz, measured once against CLOCK_MONOTONIC_RAW (10 ms, good to about 10 ppm). Under
/// TCG a guest's rdtsc reads this very counter.
[[nodiscard]] std::uint64_t host_tsc_khz();

}  // namespace ktstr::vmm::qemu
