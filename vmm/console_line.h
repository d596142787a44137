// What a line of the guest's console says about the guest's life.
#pragma once

#include <string>
#include <string_view>

namespace ktstr::vmm {

enum class ConsoleLineKind {
  kOrdinary,
  kHarmless,       ///< sounds bad and is right on machines like ours
  kPanic,          ///< the kernel's own "Kernel panic - not syncing: ..."
  kEmulatorFault,  ///< an oops that only a translator's stale code explains: "Oops: int3" (docs/vmm.md)
};

/// `line` without its "[    1.234567] " and "[  T1] " prefixes.
[[nodiscard]] std::string_view strip_printk_prefix(std::string_view line);

/// The lines of `text` that are not kHarmless.
[[nodiscard]] std::string without_harmless_lines(std::string_view text);

/// A kernel message is recognised at the line's beginning, so that a program quoting one is not taken for the
/// kernel.
[[nodiscard]] ConsoleLineKind classify_console_line(std::string_view line);

}  // namespace ktstr::vmm
