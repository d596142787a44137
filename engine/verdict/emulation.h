// How much slack an emulated machine gets, stated once.
#pragma once

namespace ktstr::engine {

/// Factor on every default limit that measures time or depends on how long something lasts, when the machine
/// is emulated.
///
/// QEMU's single-threaded TCG runs the vCPUs in turn on one host thread, up to 100 ms each (its kick period),
/// while the guest's clocks follow the host's. A guest task that is "running" therefore stands still while
/// the other vCPUs have their turns: with n vCPUs it can lose (n - 1) x 100 ms at once, and the guest's
/// scheduler charges that time to whichever task it finds on the CPU. Gaps, unfairness and standing run queue
/// clocks of that size are the emulator's. At 4, the default window of 5 samples x 100 ms becomes 2 s, which
/// covers 20 vCPUs; the default gap becomes 8 s, and the default spread of 15 points becomes 60. Limits that
/// a scenario states itself are never touched.
inline constexpr double kEmulationFactor = 4;

}  // namespace ktstr::engine
