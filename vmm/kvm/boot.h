// What our own machine can be, and what it boots, put into its memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "engine/base/result.h"
#include "vmm/guest_ram.h"
#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/loader.h"
#include "vmm/kvm/machine_ram.h"
#include "vmm/machine.h"
#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

/// What the ACPI tables tell of a machine of this topology, but for where its nodes' memory lies.
[[nodiscard]] AcpiConfig acpi_config(const Topology& topology);

/// Arguments of the kernel for such a machine, each with a space before it. Interrupts of devices stay on
/// CPUs that the I/O APIC of KVM can address, which has 8 bits for it.
[[nodiscard]] std::string own_kernel_arguments(const Topology& topology);

/// Reads the configuration's files and writes kernel, initramfs, boot parameters and ACPI tables. `parts`:
/// all of `ram`, which is GuestRam::create()'s, ascending. What is as in a file is mapped from it: the files'
/// bytes must not change for as long as `ram` lives. Errors: kNotFound or kIo for a file; those of
/// load_linux() and build_acpi_tables().
[[nodiscard]] Result<LinuxEntry> load_guest(const MachineConfig& config, GuestRam& ram,
                                            std::span<const RamPart> parts);

/// The most that a KVM is built for (CONFIG_KVM_MAX_NR_VCPUS, arch/x86/kvm/Kconfig); most hosts have fewer,
/// which is found out when a machine is made.
inline constexpr std::size_t kMostVcpus = 4096;

/// Errors (kInvalidArgument): more CPUs than KVM can have, more CPUs and nodes than the ACPI tables hold.
/// APIC ids need no limit of their own: each of their three fields is less than twice as wide as what it
/// counts, so those of 4096 CPUs are below 32768, which Linux addresses without interrupt remapping
/// (KVM_FEATURE_MSI_EXT_DEST_ID; arch/x86/kernel/apic/apic.c, try_to_enable_x2apic()).
[[nodiscard]] Status check_topology(const Topology& topology);

}  // namespace ktstr::vmm::kvm
