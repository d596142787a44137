#include "vmm/kvm/kvm.h"

#include <cpuid.h>
#include <fcntl.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr int kApiVersion = 12;          // Documentation/virt/kvm/api.rst: "refuse to run if not 12"
constexpr std::size_t kMaxLeaves = 256;  // KVM_MAX_CPUID_ENTRIES
constexpr std::size_t kMaxMsrs = 4096;   // Linux 6.18 has about 350 (arch/x86/kvm/x86.c)

struct NeededCapability {
  int number;
  const char* name;
};
constexpr NeededCapability kNeeded[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"}, {KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
    {KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"}, {KVM_CAP_IRQFD, "KVM_CAP_IRQFD"},
    {KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD"},     {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},       {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"}};

Error no_kvm(std::string why) {
  return {ErrorCode::kUnavailable, std::move(why)};
}

constexpr unsigned kFeatures = 1, kHypervisor = 0x40000000;
constexpr unsigned kHypervisorPresent = 1U << 31;  // leaf 1, ECX
constexpr std::string_view kTcgSignature = "TCGTCGTCGTCG";

}  // namespace

Result<Kvm> Kvm::open() {
  Fd fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!fd) return no_kvm("/dev/kvm: " + std::string(std::strerror(errno)));
  const auto version = kvm_value(fd.get(), KVM_GET_API_VERSION, "KVM_GET_API_VERSION", 0);
  if (!version) return no_kvm("/dev/kvm is not KVM: " + version.error().message);
  if (*version != kApiVersion) return no_kvm("KVM has API version " + std::to_string(*version));
  for (const auto& capability : kNeeded)
    if (::ioctl(fd.get(), KVM_CHECK_EXTENSION, capability.number) <= 0)
      return no_kvm("KVM lacks " + std::string(capability.name));
  const auto run_bytes = KTSTR_TRY(kvm_value(fd.get(), KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", 0));
  if (static_cast<std::size_t>(run_bytes) < sizeof(kvm_run)) return no_kvm("KVM's kvm_run is too small");
  return Kvm(std::move(fd), static_cast<std::size_t>(run_bytes));
}

int Kvm::extension(int capability) const {
  const int value = ::ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability);
  return value < 0 ? 0 : value;
}

Result<std::vector<kvm_cpuid_entry2>> Kvm::supported_cpuid() const {
  CpuidTable leaves(kMaxLeaves);
  KTSTR_TRY(leaves.request(fd_.get(), KVM_GET_SUPPORTED_CPUID, "KVM_GET_SUPPORTED_CPUID"));
  const auto supported = leaves.entries();
  return std::vector<kvm_cpuid_entry2>(supported.begin(), supported.end());
}

Result<std::vector<std::uint32_t>> Kvm::msr_indices() const {
  MsrList list(kMaxMsrs);
  KTSTR_TRY(list.request(fd_.get(), KVM_GET_MSR_INDEX_LIST, "KVM_GET_MSR_INDEX_LIST"));
  const auto indices = list.entries();
  return std::vector<std::uint32_t>(indices.begin(), indices.end());
}

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
