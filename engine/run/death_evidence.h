// How a guest died: what its memory shows of its kernel's death, whatever its console says, and the last
// words of its agent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "introspect/kernel.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// All of it is written by the kernel alone. Absent: it can't be read.
struct DeathEvidence {
  std::optional<bool> panicked;
  std::optional<std::string> panic_line;  ///< the kernel's own, from its log; only of one that panicked
  /// The kernel has oopsed, and its log, if it can be read, has its own "Oops: int3".
  std::optional<bool> int3_oops;
};

/// From the memory of a guest that runs or has ended.
[[nodiscard]] DeathEvidence read_death_evidence(const introspect::Kernel& kernel);

/// How the machine ended, with the panic on its console corrected: a kernel that has not panicked
/// has exited or was ended by something else; one that has is told so with its own line. Without evidence the
/// event stays as it is.
[[nodiscard]] vmm::MachineEvent by_evidence(vmm::MachineEvent event, const DeathEvidence& evidence);

/// What the agent said when it could not go on: the last thing that it complained of in these console lines,
/// without its name.
[[nodiscard]] std::optional<std::string> agents_last_words(std::string_view console);

}  // namespace ktstr::engine
