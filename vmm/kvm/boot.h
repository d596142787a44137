// Puts what a machine boots into its memory.
#pragma once

#include <span>

#include "engine/base/result.h"
#include "vmm/guest_ram.h"
#include "vmm/kvm/loader.h"
#include "vmm/kvm/ram_layout.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// Reads the configuration's files and writes kernel, initramfs, boot parameters and ACPI tables. `parts`:
/// all of `ram`, which is GuestRam::create()'s, ascending. What is as in a file is mapped from it: the files'
/// bytes must not change for as long as `ram` lives. Errors: kNotFound or kIo for a file; those of
/// load_linux() and build_acpi_tables().
[[nodiscard]] Result<LinuxEntry> load_guest(const MachineConfig& config, GuestRam& ram,
                                            std::span<const RamPart> parts);

}  // namespace ktstr::vmm::kvm
