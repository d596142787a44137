// Kvm: the host's KVM, opened and found to have what our machine needs; and what the CPU below it is.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

class Kvm {
 public:
  /// Errors: kUnavailable, saying what is missing: /dev/kvm, the right to open it, its API version (12) or
  /// one of the capabilities without which no machine is made.
  [[nodiscard]] static Result<Kvm> open();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Bytes of a vCPU's shared struct kvm_run.
  [[nodiscard]] std::size_t run_bytes() const { return run_bytes_; }
  /// What KVM_CHECK_EXTENSION says of an optional capability: 0 when it is not there.
  [[nodiscard]] int extension(int capability) const;
  /// KVM_GET_SUPPORTED_CPUID.
  [[nodiscard]] Result<std::vector<kvm_cpuid_entry2>> supported_cpuid() const;
  /// The MSRs that a guest's state is in (KVM_GET_MSR_INDEX_LIST). Not each of them is there for each guest.
  [[nodiscard]] Result<std::vector<std::uint32_t>> msr_indices() const;

 private:
  Kvm(Fd fd, std::size_t run_bytes) : fd_(std::move(fd)), run_bytes_(run_bytes) {}

  Fd fd_;
  std::size_t run_bytes_ = 0;
};

/// Whether a CPU is one that QEMU emulates: `features` is ECX of CPUID leaf 1, `hypervisor` the 12 letters of
/// EBX, ECX and EDX of leaf 0x40000000, which mean something only on a CPU that reports a hypervisor.
[[nodiscard]] bool is_emulated_cpu(std::uint32_t features, std::string_view hypervisor);

/// Whether this host is itself a guest whose instructions QEMU emulates (its hypervisor signature, CPUID leaf
/// 0x40000000): a machine on its KVM is then as slow as any emulated one.
[[nodiscard]] bool host_is_emulated();

}  // namespace ktstr::vmm::kvm
