// What emulation does to the guest's sense of time, stated once.
#pragma once

#include <cstddef>

#include "engine/base/units.h"

namespace ktstr::engine {

/// Factor on every default limit on how long something may last, when the machine is emulated. Limits that a
/// scenario states are never touched; the report names those that were stretched.
///
/// QEMU's single-threaded TCG runs the vCPUs in turn on one host thread, each until a timer of any of them
/// fires (4 ms at CONFIG_HZ=250) and for 100 ms at most (its kick period), while the guest's clocks follow
/// the host's. A guest task that is "running" therefore stands still while the other vCPUs have their turns:
/// with n vCPUs it can lose (n - 1) x 100 ms at once. Gaps and standing run queue clocks of that size are the
/// emulator's. At 4, the default window of 5 samples x 100 ms becomes 2 s, which covers 20 vCPUs, and the
/// default gap becomes 8 s.
inline constexpr double kEmulationFactor = 4;

/// CPU time that the guest may have charged to the wrong one of two workers that ran in turns, over a whole
/// run: what a vCPU lost while the others had their turns is charged to whatever task it had on it. A
/// scheduler that goes by CPU time makes up for it, to within one such loss; `cpus`: those that run in turn,
/// 0 on hardware.
[[nodiscard]] inline Duration emulation_blur(std::size_t cpus) {
  constexpr Duration kTurn = std::chrono::milliseconds(100);
  return cpus < 2 ? Duration{} : Duration(static_cast<std::int64_t>(cpus - 1) * kTurn.ns);
}

}  // namespace ktstr::engine
