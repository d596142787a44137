// What a line of the guest's console says about the guest's life.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ktstr::vmm {

enum class ConsoleLineKind {
  kOrdinary,
  kHarmless,       ///< sounds bad and is right on machines like ours
  kPanic,          ///< the kernel's own "Kernel panic - not syncing: ..."
  kEmulatorFault,  ///< an oops that only a translator's stale code explains: "Oops: int3" (docs/vmm.md)
};

/// The first lines that tell of the guest's death, without printk's prefix. Any program of the guest can
/// write such a line: it says what happened only together with what else is seen of the guest.
struct ConsoleFindings {
  std::optional<std::string> panic;
  std::optional<std::string> emulator_fault;
};

/// `line` without its "[    1.234567] " and "[  T1] " prefixes.
[[nodiscard]] std::string_view strip_printk_prefix(std::string_view line);

/// The lines of `text` that are not kHarmless.
[[nodiscard]] std::string without_harmless_lines(std::string_view text);

/// A kernel message is recognised at the line's beginning, so that a program quoting one is not taken for the
/// kernel.
[[nodiscard]] ConsoleLineKind classify_console_line(std::string_view line);

}  // namespace ktstr::vmm
