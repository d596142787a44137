// What the runner tells the agent of a guest that was forked from a snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/describe.h"
#include "engine/protocol/done.h"

namespace ktstr::engine::protocol {

/// How much entropy a Refresh holds: the size of the kernel's key at least, twice that at most.
inline constexpr std::size_t kMinEntropyBytes = 32;
inline constexpr std::size_t kMaxEntropyBytes = 64;

/// Makes the guest's random numbers its own and sets its CLOCK_REALTIME. Of forks of one snapshot, each is
/// given other entropy. Answered by Done. Only a guest's agent takes it: one on a bare host does not own the
/// kernel.
struct Refresh {
  using Answer = Done;

  std::vector<std::uint8_t> entropy;
  std::uint64_t realtime_ns = 0;

  static consteval auto describe() {
    using T = Refresh;
    return record("refresh", "re-seeds the kernel's random numbers and sets its clock",
                  field<&T::entropy>("random bytes, 32 to 64"),
                  field<&T::realtime_ns>("CLOCK_REALTIME from now on, ns since 1970"));
  }
};

}  // namespace ktstr::engine::protocol
