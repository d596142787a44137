#include "vmm/console_line.h"

#include <algorithm>

namespace ktstr::vmm {

std::string_view strip_printk_prefix(std::string_view line) {
  while (line.starts_with('[')) {
    const auto end = line.find(']');
    if (end == line.npos || line.substr(1, end - 1).find_first_not_of(" .0123456789TC") != line.npos) break;
    line.remove_prefix(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return line;
}

ConsoleLineKind classify_console_line(std::string_view line) {
  const auto text = strip_printk_prefix(line);
  if (text.starts_with("Kernel panic - not syncing"))
    return ConsoleLineKind::kPanic;  // kernel/panic.c, vpanic()
  // arch/x86/pci/legacy.c and direct.c: machines without PCI, or with PCIe's memory-mapped access alone
  if (text.starts_with("PCI: Fatal: No config space access function found") ||
      text.starts_with("PCI: System does not support PCI"))
    return ConsoleLineKind::kHarmless;
  if (text.starts_with("Oops: int3")) return ConsoleLineKind::kEmulatorFault;  // arch/x86/kernel/traps.c
  return ConsoleLineKind::kOrdinary;
}

std::string without_harmless_lines(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const auto size = std::min(text.size(), text.find('\n') + 1);  // npos + 1 is 0: the rest
    const auto line = text.substr(0, size == 0 ? text.size() : size);
    if (classify_console_line(line) != ConsoleLineKind::kHarmless) kept += line;
    text.remove_prefix(line.size());
  }
  return kept;
}

}  // namespace ktstr::vmm
