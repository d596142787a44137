#include "vmm/qemu/snapshot.h"

#include "vmm/qemu/machine_backend.h"

namespace ktstr::vmm::qemu {

Result<std::unique_ptr<Machine>> QemuSnapshot::fork(const std::filesystem::path& console_log) const {
  auto machine = KTSTR_TRY(QemuMachine::resume(saved_, console_log), "fork");
  return std::unique_ptr<Machine>(std::move(machine));
}

}  // namespace ktstr::vmm::qemu
