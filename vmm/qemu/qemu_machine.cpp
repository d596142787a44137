#include "vmm/qemu/qemu_machine.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "vmm/qemu/machine_backend.h"

namespace ktstr::vmm {

Result<std::string> find_qemu(const std::string& path) {
  constexpr std::string_view kName = "qemu-system-x86_64";
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const auto candidate = path.substr(begin, end - begin) + "/" + std::string(kName);
    if (end > begin && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return Error{ErrorCode::kUnavailable,
               std::string(kName) + " is not installed: it comes with the Debian package qemu-system-x86"};
}

Result<std::unique_ptr<Machine>> start_qemu(const MachineConfig& config) {
  return KTSTR_TRY(qemu::QemuMachine::start(config));
}

}  // namespace ktstr::vmm
