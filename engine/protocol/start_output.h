// Where the agent keeps what a scheduler's program prints, for the runner to read when it can't be attached.
#pragma once

#include <cstdint>

namespace ktstr::engine::protocol {

/// A file of the guest, that of the last program; made anew by each. Only in guests: on a bare host there is
/// none.
inline constexpr const char* kStartOutputFile = "/tmp/scheduler-output";
/// Its end is left out beyond this. The verifier's log has 16 MB at most.
inline constexpr std::uint64_t kMostStartOutput = 20U << 20;

}  // namespace ktstr::engine::protocol
