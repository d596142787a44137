#include "vmm/qemu/snapshot.h"

#include "vmm/qemu/machine_backend.h"

namespace ktstr::vmm::qemu {

Result<std::unique_ptr<Machine>> QemuSnapshot::fork(const std::filesystem::path& console_log) const {
  auto machine = QemuMachine::resume(saved_, console_log);
  if (!machine) return std::move(machine.error()).with_context("fork");
  return std::unique_ptr<Machine>(std::move(*machine));
}

}  // namespace ktstr::vmm::qemu
