// Where the agent keeps what a scheduler's program prints, for the runner to read when it can't be attached.
#pragma once

#include <cstdint>
#include <string_view>

namespace ktstr::engine::protocol {

/// A file of the guest, that of the last program; made anew by each. Only in guests: on a bare host there is
/// none.
inline constexpr const char* kStartOutputFile = "/tmp/scheduler-output";
/// Its end is left out beyond this. libbpf gives the verifier's log as much room as it takes: 48 MB for a
/// loop of 8 192 turns at log level 2.
inline constexpr std::uint64_t kMostStartOutput = 128U << 20;
/// The last line, in place of what is left out.
inline constexpr std::string_view kStartOutputCut = "... (the rest was left out)\n";
/// What the agent leaves free of the guest's memory, where the file lies too.
inline constexpr std::uint64_t kLeftBesideStartOutput = 64U << 20;

}  // namespace ktstr::engine::protocol
