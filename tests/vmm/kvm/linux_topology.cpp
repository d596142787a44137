#include "tests/vmm/kvm/linux_topology.h"

#include <bit>
#include <cstring>

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kUnknown = UINT32_MAX;

std::uint32_t bits(std::uint32_t value, unsigned first, unsigned count) {
  return value >> first & ((1U << count) - 1);
}

/// The kernel's get_count_order().
std::uint32_t order_of(std::uint32_t count) {
  return static_cast<std::uint32_t>(std::bit_width(count - 1));
}

void set_domain(LinuxCpu& cpu, unsigned domain, std::uint32_t shift, std::uint32_t count) {
  for (; domain <= LinuxCpu::kTopDomain; ++domain) {
    cpu.shifts[domain] = shift;
    cpu.counts[domain] = count;
  }
}

void identify(LinuxCpu& cpu) {
  const auto leaf = cpu.cpuid(0);
  char name[13] = {};
  std::memcpy(name, &leaf.ebx, 4);
  std::memcpy(name + 4, &leaf.edx, 4);
  std::memcpy(name + 8, &leaf.ecx, 4);
  cpu.vendor = std::string(name) == "GenuineIntel"   ? CpuVendor::kIntel
               : std::string(name) == "AuthenticAMD" ? CpuVendor::kAmd
                                                     : CpuVendor::kHygon;
  const auto signature = cpu.cpuid(1).eax;
  cpu.family = bits(signature, 8, 4);
  if (cpu.family == 0xf) cpu.family += bits(signature, 20, 8);
  cpu.model = bits(signature, 16, 4) << 4 | bits(signature, 4, 4);
  cpu.initial_apic_id = cpu.cpuid(1).ebx >> 24;
  cpu.topology_extensions = cpu.vendor != CpuVendor::kIntel && bits(cpu.cpuid(0x80000001).ecx, 22, 1);
}

bool parse_subleaf(LinuxCpu& cpu, std::uint32_t leaf, std::uint32_t subleaf) {
  const auto level = cpu.cpuid(leaf, subleaf);
  const auto type = bits(level.ecx, 8, 8), count = bits(level.ebx, 0, 16);
  if (count == 0 || type == 0) return false;
  const bool first = type == 1;
  if (first) cpu.initial_apic_id = level.edx;
  if (cpu.initial_apic_id != level.edx) cpu.complaints.push_back("APIC ids of a leaf's levels differ");
  // Type numbers: thread, core, then module, tile, die, and on AMD complex and socket.
  const unsigned intel_domains[] = {0, 0, 1, 2, 3, 4, 5}, amd_domains[] = {0, 0, 1, 3, 4, 4, 4};
  set_domain(cpu, (leaf == 0x80000026 ? amd_domains : intel_domains)[type], bits(level.eax, 0, 5), count);
  return true;
}

bool parse_leaf(LinuxCpu& cpu, std::uint32_t leaf) {
  std::uint32_t levels = 0;
  while (levels < 6 && parse_subleaf(cpu, leaf, levels)) ++levels;
  if (levels > 0 && cpu.shifts[LinuxCpu::kSmt] == 0 && cpu.counts[LinuxCpu::kSmt] > 1)
    cpu.complaints.push_back("several threads in no bits");
  return levels > 0;
}

bool parse_extended(LinuxCpu& cpu) {
  const auto largest = cpu.cpuid(0).eax, largest_extended = cpu.cpuid(0x80000000).eax;
  if (largest >= 0x1f && parse_leaf(cpu, 0x1f)) return true;
  if (largest_extended >= 0x80000026 && parse_leaf(cpu, 0x80000026)) return true;
  return largest >= 0xb && parse_leaf(cpu, 0xb);
}

void parse_legacy(LinuxCpu& cpu) {
  const auto leaf1 = cpu.cpuid(1), leaf4 = cpu.cpuid(4);
  const auto cores = cpu.cpuid(0).eax < 4 || bits(leaf4.eax, 0, 5) == 0 ? 1 : bits(leaf4.eax, 26, 6) + 1;
  const auto processors = order_of(bits(leaf1.ebx, 16, 8));
  if (processors < order_of(cores)) cpu.complaints.push_back("more cores than processors");
  const auto threads = bits(leaf1.edx, 28, 1) ? processors - order_of(cores) : 0;
  set_domain(cpu, LinuxCpu::kSmt, threads, 1U << threads);
  set_domain(cpu, LinuxCpu::kCore, order_of(cores) + threads, cores << threads);
}

void parse_8000_0008(LinuxCpu& cpu) {
  const auto size = cpu.cpuid(0x80000008).ecx;
  const auto processors = bits(size, 0, 8) + 1, shift = bits(size, 12, 4);
  set_domain(cpu, LinuxCpu::kCore, shift != 0 ? shift : order_of(processors), processors);
  cpu.shifts[LinuxCpu::kSmt] = 0;
  cpu.counts[LinuxCpu::kSmt] = 1;
}

kvm_cpuid_entry2 last_cache(const LinuxCpu& cpu) {
  std::uint32_t count = 0;
  while (count < 8 && bits(cpu.cpuid(0x8000001d, count).eax, 0, 5) != 0) ++count;
  return cpu.cpuid(0x8000001d, count - 1);
}

std::uint32_t amd_llc(const LinuxCpu& cpu) {
  if (cpu.cpuid(0x80000006).edx == 0) return kUnknown;
  if (cpu.vendor == CpuVendor::kHygon) return cpu.apic_id >> 3;
  if (cpu.family < 0x17) return cpu.amd_node;
  if (cpu.family == 0x17 && cpu.model <= 0x1f) return cpu.apic_id >> 3;
  return cpu.apic_id >> order_of(bits(last_cache(cpu).eax, 14, 12) + 1);
}

void parse_8000_001e(LinuxCpu& cpu, bool extended) {
  const auto place = cpu.cpuid(0x8000001e);
  cpu.initial_apic_id = place.eax;
  if (!extended) {
    cpu.counts[LinuxCpu::kSmt] = bits(place.ebx, 8, 8) + 1;
    cpu.shifts[LinuxCpu::kSmt] = order_of(cpu.counts[LinuxCpu::kSmt]);
  }
  cpu.amd_node = bits(place.ecx, 0, 8);
  cpu.amd_nodes_per_package = bits(place.ecx, 8, 3) + 1;
  if (cpu.family == 0x15) cpu.compute_unit = bits(place.ebx, 0, 8);
  cpu.llc = amd_llc(cpu);
}

void parse_amd(LinuxCpu& cpu) {
  const bool extended = cpu.topology_extensions && parse_extended(cpu);
  if (!extended) parse_8000_0008(cpu);
  cpu.llc = kUnknown;
  if (cpu.topology_extensions) parse_8000_001e(cpu, extended);
  if (cpu.llc == kUnknown) cpu.llc = cpu.initial_apic_id >> cpu.shifts[LinuxCpu::kCore];
}

void parse_intel(LinuxCpu& cpu) {
  if (!parse_extended(cpu)) parse_legacy(cpu);
  for (std::uint32_t index = 0; bits(cpu.cpuid(4, index).eax, 0, 5) != 0; ++index) {
    const auto cache = cpu.cpuid(4, index).eax;
    const auto shift = order_of(bits(cache, 14, 12) + 1);
    if (bits(cache, 5, 3) >= 2) cpu.llc = cpu.apic_id >> shift << shift;  // L3 comes after L2
  }
}

void set_ids(LinuxCpu& cpu) {
  const auto package_shift = cpu.shifts[LinuxCpu::kTopDomain];
  cpu.package = cpu.apic_id >> package_shift;
  cpu.die = cpu.apic_id >> cpu.shifts[LinuxCpu::kTile];
  cpu.core = (cpu.apic_id & ((1U << package_shift) - 1)) >> cpu.shifts[LinuxCpu::kSmt];
  if (cpu.vendor == CpuVendor::kAmd && cpu.family < 0x17 && cpu.amd_nodes_per_package > 1)
    cpu.core %= cpu.counts[LinuxCpu::kCore] / cpu.amd_nodes_per_package;
}

bool are_siblings(const LinuxCpu& a, const LinuxCpu& b) {
  if (a.package != b.package || a.die != b.die) return false;
  if (!a.topology_extensions) return a.core == b.core;
  if (a.amd_node != b.amd_node || a.llc != b.llc) return false;
  return a.core == b.core || (a.compute_unit != 0xff && a.compute_unit == b.compute_unit);
}

bool share_cache(const LinuxCpu& a, const LinuxCpu& b, unsigned index) {
  const bool amd = a.vendor != CpuVendor::kIntel;
  if (amd && index == 3) return a.llc == b.llc;
  const auto sharing = bits(a.cpuid(amd ? 0x8000001d : 4, index).eax, 14, 12) + 1;
  if (amd) return a.apic_id / sharing == b.apic_id / sharing;
  return a.apic_id >> order_of(sharing) == b.apic_id >> order_of(sharing);
}

template <class Holds>
CpuSet those_where(const std::vector<LinuxCpu>& cpus, Holds holds) {
  CpuSet set;
  for (std::size_t i = 0; i < cpus.size(); ++i)
    if (holds(cpus[i])) set.add(i);
  return set;
}

}  // namespace

const kvm_cpuid_entry2* Cpuid::find(std::uint32_t leaf, std::uint32_t subleaf) const {
  for (const auto& entry : entries_) {
    const bool indexed = entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    if (entry.function == leaf && (!indexed || entry.index == subleaf)) return &entry;
  }
  return nullptr;
}

kvm_cpuid_entry2 Cpuid::operator()(std::uint32_t leaf, std::uint32_t subleaf) const {
  const auto* const entry = find(leaf, subleaf);
  return entry != nullptr ? *entry : kvm_cpuid_entry2{};
}

LinuxCpu::LinuxCpu(CpuidEntries entries, std::uint32_t id) : cpuid(std::move(entries)), apic_id(id) {
  identify(*this);
  if (initial_apic_id != (apic_id & 0xff)) complaints.push_back("leaf 1 has another APIC id");
  vendor == CpuVendor::kIntel ? parse_intel(*this) : parse_amd(*this);
  if (initial_apic_id != apic_id) complaints.push_back("the initial APIC id is another");
  set_ids(*this);
}

CpuSet LinuxTopology::thread_siblings(std::size_t cpu) const {
  return those_where(cpus, [&](const LinuxCpu& other) { return are_siblings(cpus[cpu], other); });
}

CpuSet LinuxTopology::package_cpus(std::size_t cpu) const {
  return those_where(cpus, [&](const LinuxCpu& other) { return cpus[cpu].package == other.package; });
}

CpuSet LinuxTopology::cache_cpus(std::size_t cpu, unsigned index) const {
  return those_where(cpus, [&](const LinuxCpu& other) { return share_cache(cpus[cpu], other, index); });
}

}  // namespace ktstr::vmm::kvm
