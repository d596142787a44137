#include "vmm/qemu/tsc.h"

#include <time.h>
#include <x86intrin.h>

namespace ktstr::vmm::qemu {
namespace {

struct Reading {
  std::uint64_t ticks = 0;
  std::uint64_t ns = 0;
};

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

/// Both clocks at one instant: the tightest of several attempts, so that an interruption between the two
/// reads falls out.
Reading read_both() {
  Reading best;
  auto best_gap = ~std::uint64_t{0};
  for (int attempt = 0; attempt < 16; ++attempt) {
    const auto before = __rdtsc();
    const auto ns = now_ns();
    const auto gap = __rdtsc() - before;
    if (gap >= best_gap) continue;
    best_gap = gap;
    best = {before + gap / 2, ns};
  }
  return best;
}

std::uint64_t measure_khz() {
  const auto first = read_both();
  const timespec pause{0, 10'000'000};
  ::nanosleep(&pause, nullptr);
  const auto last = read_both();
  return (last.ticks - first.ticks) * 1'000'000 / (last.ns - first.ns);
}

}  // namespace

std::uint64_t host_tsc_khz() {
  static const auto khz = measure_khz();
  return khz;
}

}  // namespace ktstr::vmm::qemu
