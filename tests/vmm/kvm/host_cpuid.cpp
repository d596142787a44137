#include "tests/vmm/kvm/host_cpuid.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kIndexed = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

kvm_cpuid_entry2 entry(std::uint32_t function, std::uint32_t eax, std::uint32_t ebx, std::uint32_t ecx,
                       std::uint32_t edx) {
  return {function, 0, 0, eax, ebx, ecx, edx, {}};
}

kvm_cpuid_entry2 indexed(std::uint32_t function, std::uint32_t index, std::uint32_t eax, std::uint32_t ebx,
                         std::uint32_t ecx, std::uint32_t edx) {
  return {function, index, kIndexed, eax, ebx, ecx, edx, {}};
}

kvm_cpuid_entry2 vendor(std::uint32_t largest, std::string_view name) {
  kvm_cpuid_entry2 leaf = entry(0, largest, 0, 0, 0);
  std::memcpy(&leaf.ebx, name.data(), 4);
  std::memcpy(&leaf.edx, name.data() + 4, 4);
  std::memcpy(&leaf.ecx, name.data() + 8, 4);
  return leaf;
}

void add(CpuidEntries& entries, std::initializer_list<kvm_cpuid_entry2> more) {
  entries.insert(entries.end(), more);
}

/// Features, XSAVE, KVM's own leaves, and leaf 0xB of 64 CPUs to a package.
CpuidEntries common(std::uint32_t largest, std::string_view name, std::uint32_t signature) {
  return {vendor(largest, name),
          entry(1, signature, 0x2a400800, 0x77fa3203, 0x1f8bfbff),
          indexed(7, 0, 1, 0xf1bf07ab, 0x1b415f6e, 0xa8000410),
          indexed(0xb, 0, 1, 2, 0x100, 0x2a),
          indexed(0xb, 1, 6, 64, 0x201, 0x2a),
          indexed(0xd, 0, 0x2e7, 0x988, 0x988, 0),
          entry(0x40000000, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d),
          entry(0x40000001, 0x01007afb, 0, 0, 0),
          entry(0x80000002, 0x74736574, 0x756d7720, 0, 0)};
}

CpuidEntries intel(std::uint32_t largest) {
  auto entries = common(largest, "GenuineIntel", 0x806f8);
  add(entries,
      {entry(2, 0x00feff01, 0xf0, 0, 0), indexed(4, 0, 0x7c004121, 0x02c0003f, 0x3f, 0),
       indexed(4, 1, 0x7c004122, 0x01c0003f, 0x3f, 0), indexed(4, 2, 0x7c004143, 0x03c0003f, 0x7ff, 0),
       indexed(4, 3, 0x7c0fc163, 0x0380003f, 0x1bfff, 4), entry(0xa, 0x08300805, 0, 7, 0x8603),
       entry(0x1a, 0x40000001, 0, 0, 0), indexed(0x1f, 0, 1, 2, 0x100, 0x2a),
       indexed(0x1f, 1, 6, 64, 0x201, 0x2a), indexed(0x1f, 2, 7, 128, 0x502, 0x2a),
       entry(0x80000000, 0x80000008, 0, 0, 0), entry(0x80000001, 0, 0, 0x121, 0x2c100800),
       entry(0x80000006, 0, 0, 0x08007040, 0), entry(0x80000008, 0x3934, 0, 0, 0)});
  return entries;
}

CpuidEntries amd(std::string_view name, std::uint32_t signature, std::uint32_t largest_extended) {
  auto entries = common(0x10, name, signature);
  add(entries,
      {entry(0x80000000, largest_extended, 0, 0, 0), entry(0x80000001, signature, 0, 0x75c237ff, 0x2fd3fbff),
       entry(0x80000005, 0, 0, 0x20080140, 0x20080140), entry(0x80000006, 0, 0, 0x04006140, 0x02009140),
       entry(0x80000008, 0x3934, 0x111ed205, 0x00706f, 0),
       indexed(0x8000001d, 0, 0x4121, 0x01c0003f, 0x3f, 0),
       indexed(0x8000001d, 1, 0x4122, 0x01c0003f, 0x3f, 0),
       indexed(0x8000001d, 2, 0x4143, 0x01c0003f, 0x3ff, 2),
       indexed(0x8000001d, 3, 0x3c163, 0x03c0003f, 0x7fff, 1), entry(0x8000001e, 0x2a, 0x115, 3, 0)});
  if (largest_extended >= 0x80000026)
    add(entries, {indexed(0x80000026, 0, 1, 2, 0x100, 0x2a), indexed(0x80000026, 1, 4, 16, 0x201, 0x2a),
                  indexed(0x80000026, 2, 6, 64, 0x302, 0x2a)});
  return entries;
}

}  // namespace

const std::vector<TestHost>& test_hosts() {
  static const std::vector<TestHost> hosts{
      {"Intel", intel(0x20)},
      {"Intel without leaf 0x1F", intel(0x16)},
      {"Intel without leaf 0xB", intel(7)},
      {"AMD before Zen", amd("AuthenticAMD", 0x00600f20, 0x8000001a)},
      {"AMD Zen 1", amd("AuthenticAMD", 0x00800f12, 0x8000001f)},
      {"AMD Zen 2", amd("AuthenticAMD", 0x00830f10, 0x80000020)},
      {"AMD Zen 4", amd("AuthenticAMD", 0x00a10f11, 0x80000028)},
      {"Hygon", amd("HygonGenuine", 0x00900f02, 0x8000001f)},
  };
  return hosts;
}

const CpuidEntries& test_host(const char* name) {
  const auto& hosts = test_hosts();
  const auto found = std::find_if(hosts.begin(), hosts.end(),
                                  [&](const TestHost& host) { return std::string_view(host.name) == name; });
  KTSTR_CHECK(found != hosts.end());
  return found->supported;
}

}  // namespace ktstr::vmm::kvm
