// SavedMachine: all that a QEMU machine is at one instant, apart from any process.
#pragma once

#include <vector>

#include "engine/base/fd.h"
#include "vmm/machine.h"
#include "vmm/qemu/machine_plan.h"
#include "vmm/qemu/memory_map.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm::qemu {

struct SavedMachine {
  MachineConfig config;  ///< its paths may be gone: nothing of them is read again
  MachinePlan plan;
  std::vector<RamRange> ranges;  ///< where the banks lie
  RamTemplate ram;
  Fd device_state;  ///< as save_device_state() gives it
};

/// A MachineSnapshot that forks by starting a QEMU on a copy of the saved memory. Thread-safe.
class QemuSnapshot final : public MachineSnapshot {
 public:
  explicit QemuSnapshot(SavedMachine saved) : saved_(std::move(saved)) {}
  [[nodiscard]] Result<std::unique_ptr<Machine>> fork(
      const std::filesystem::path& console_log) const override;

 private:
  SavedMachine saved_;
};

}  // namespace ktstr::vmm::qemu
