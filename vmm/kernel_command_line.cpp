#include "vmm/kernel_command_line.h"

#include <fmt/format.h>

namespace ktstr::vmm {

std::string kernel_command_line(const MachineConfig& config, std::string_view backends_own) {
  std::string line = "console=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests norandmaps";
  line += backends_own;
  if (!config.kaslr) line += " nokaslr";
  for (const auto& argument : config.kernel_args) line += " " + argument;
  return line;
}

Status check_command_line(const MachineConfig& config) {
  constexpr std::size_t kMostBackendsOwn = 64;
  const auto length = kernel_command_line(config, std::string(kMostBackendsOwn, ' ')).size();
  if (length < kMostCommandLine) return ok();
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("the kernel's command line would have {} bytes, and Linux takes {}", length,
                           kMostCommandLine - 1)};
}

}  // namespace ktstr::vmm
