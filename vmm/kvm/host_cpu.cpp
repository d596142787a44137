#include "vmm/kvm/host_cpu.h"

#include <cpuid.h>

#include <array>
#include <cstring>
#include <string_view>

namespace ktstr::vmm::kvm {
namespace {

constexpr unsigned kFeatures = 1, kHypervisor = 0x40000000;
constexpr unsigned kHypervisorPresent = 1U << 31;  // leaf 1, ECX
constexpr std::string_view kTcgSignature = "TCGTCGTCGTCG";

}  // namespace

bool is_emulated_cpu(std::uint32_t features, std::string_view hypervisor) {
  return (features & kHypervisorPresent) != 0 && hypervisor == kTcgSignature;
}

bool host_is_emulated() {
  unsigned eax = 0, ebx = 0, features = 0, edx = 0;
  __cpuid(kFeatures, eax, ebx, features, edx);
  std::array<unsigned, 3> words{};
  __cpuid(kHypervisor, eax, words[0], words[1], words[2]);
  std::array<char, kTcgSignature.size()> signature{};
  std::memcpy(signature.data(), words.data(), signature.size());
  return is_emulated_cpu(features, {signature.data(), signature.size()});
}

}  // namespace ktstr::vmm::kvm
