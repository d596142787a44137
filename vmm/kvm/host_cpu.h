// What the CPU that we run on is.
#pragma once

namespace ktstr::vmm::kvm {

/// Whether this host is itself a guest whose instructions QEMU emulates (its hypervisor signature, CPUID leaf
/// 0x40000000): a machine on its KVM is then as slow as any emulated one.
[[nodiscard]] bool host_is_emulated();

}  // namespace ktstr::vmm::kvm
