// What the CPU that we run on is.
#pragma once

#include <cstdint>
#include <string_view>

namespace ktstr::vmm::kvm {

/// Whether a CPU is one that QEMU emulates: `features` is ECX of CPUID leaf 1, `hypervisor` the 12 letters of
/// EBX, ECX and EDX of leaf 0x40000000, which mean something only on a CPU that tells of a hypervisor.
[[nodiscard]] bool is_emulated_cpu(std::uint32_t features, std::string_view hypervisor);

/// Whether this host is itself a guest whose instructions QEMU emulates (its hypervisor signature, CPUID leaf
/// 0x40000000): a machine on its KVM is then as slow as any emulated one.
[[nodiscard]] bool host_is_emulated();

}  // namespace ktstr::vmm::kvm
