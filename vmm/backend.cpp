#include "vmm/backend.h"

#include "vmm/kvm/kvm_machine.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm {

Result<std::unique_ptr<Machine>> start_machine(MachineConfig config, Backend backend) {
  if (backend == Backend::kKvm) return start_kvm(config);
  config.accelerator = backend == Backend::kQemuKvm ? Accelerator::kKvm : Accelerator::kTcg;
  return start_qemu(config);
}

}  // namespace ktstr::vmm
