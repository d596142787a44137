// What KVM_GET_SUPPORTED_CPUID says on hosts made up for tests, their own topology included.
#pragma once

#include <linux/kvm.h>

#include <vector>

namespace ktstr::vmm::kvm {

using CpuidEntries = std::vector<kvm_cpuid_entry2>;

struct TestHost {
  const char* name;
  CpuidEntries supported;
};

/// Intel with and without leaf 0x1F; AMD before, of the first and of the latest Zen; Hygon.
const std::vector<TestHost>& test_hosts();

/// The host of that name. Precondition: there is one.
const CpuidEntries& test_host(const char* name);

}  // namespace ktstr::vmm::kvm
