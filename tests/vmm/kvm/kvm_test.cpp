#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "vmm/kvm/kvm.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kHypervisor = 1U << 31;

}  // namespace

TEST_CASE("a CPU under TCG is emulated") {
  CHECK(is_emulated_cpu(kHypervisor, "TCGTCGTCGTCG"));
  CHECK(is_emulated_cpu(~0U, "TCGTCGTCGTCG"));
}

TEST_CASE("a CPU under a hypervisor that runs guests' instructions is not emulated") {
  for (const char* hypervisor : {"KVMKVMKVM", "Microsoft Hv", "VMwareVMware", "XenVMMXenVMM", ""})
    CHECK_FALSE(is_emulated_cpu(kHypervisor, hypervisor));
}

TEST_CASE("without a hypervisor leaf 0x40000000 says nothing") {
  CHECK_FALSE(is_emulated_cpu(~kHypervisor, "TCGTCGTCGTCG"));
}

TEST_CASE("this host is emulated only when the kernel's CPU model, or the lack of one, agrees") {
  std::stringstream cpus;
  cpus << std::ifstream("/proc/cpuinfo").rdbuf();
  const bool has_hypervisor = cpus.str().find(" hypervisor") != std::string::npos;
  // QEMU's -cpu max and its named models under TCG say so in their model names.
  const bool says_tcg = cpus.str().find("QEMU TCG CPU") != std::string::npos;
  if (says_tcg) CHECK(host_is_emulated());
  if (!has_hypervisor) CHECK_FALSE(host_is_emulated());
}

}  // namespace ktstr::vmm::kvm
