#include "vmm/kernel_command_line.h"

namespace ktstr::vmm {

std::string kernel_command_line(const MachineConfig& config, std::string_view backends_own) {
  std::string line = "console=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests";
  line += backends_own;
  if (!config.kaslr) line += " nokaslr";
  for (const auto& argument : config.kernel_args) line += " " + argument;
  return line;
}

}  // namespace ktstr::vmm
