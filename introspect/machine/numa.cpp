#include "introspect/machine/numa.h"

#include <bit>
#include <string>

namespace ktstr::introspect {
namespace {

/// No x86 kernel can have more: CONFIG_NODES_SHIFT is 10 at most.
constexpr std::size_t kMaxNodes = 1024;
constexpr std::size_t kMaxZones = 16;
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

Error unreadable(std::string what) {
  return {ErrorCode::kOutOfRange, std::move(what) + " can't be read"};
}

}  // namespace

Result<NumaReader> NumaReader::create(const Kernel& kernel) {
  NumaReader reader;
  // A kernel without NUMA has one node in contig_page_data, and no such counters in it.
  reader.node_data_ = KTSTR_TRY(kernel.address("node_data"));
  KTSTR_TRY(resolve_all(kernel.btf(), {&reader.node_, &reader.zone_, &reader.zonestat_}));
  KTSTR_TRY(reader.find_events(kernel.btf()));
  KTSTR_TRY(reader.find_nodes(kernel));
  return reader;
}

Status NumaReader::find_events(const Btf& btf) {
  constexpr const char* kNames[] = {"NUMA_HIT",   "NUMA_MISS", "NUMA_FOREIGN", "NUMA_INTERLEAVE_HIT",
                                    "NUMA_LOCAL", "NUMA_OTHER"};
  const std::size_t count = std::min(zone_.vm_numa_event.size(), zonestat_.vm_numa_event.size()) / kWordBytes;
  for (std::size_t i = 0; i < event_indices_.size(); ++i) {
    const auto value = btf.enumerator(kNames[i]);
    if (!value)
      return Error{ErrorCode::kNotFound, "no enumerator " + std::string(kNames[i]) + " in the kernel's BTF"};
    if (*value < 0 || static_cast<std::size_t>(*value) >= count)
      return Error{ErrorCode::kCorrupt, std::string(kNames[i]) + " lies outside vm_numa_event"};
    event_indices_[i] = static_cast<std::size_t>(*value);
  }
  return ok();
}

Status NumaReader::find_nodes(const Kernel& kernel) {
  const auto zones = kernel.btf().array(node_.node_zones.type());
  if (!zones || zones->first == 0 || zones->first > kMaxZones ||
      zones->first * zone_.size() != node_.node_zones.size())
    return Error{ErrorCode::kCorrupt, "struct pglist_data: node_zones is no array of struct zone"};
  zones_ = zones->first;
  const auto mask = kernel.btf().find_struct("nodemask_t");
  const auto online = kernel.btf().enumerator("N_ONLINE");
  if (!mask || !online || *online < 0)
    return Error{ErrorCode::kNotFound, "no nodemask_t or N_ONLINE in the kernel's BTF"};
  mask_bytes_ = kernel.btf().size_of(*mask).value_or(0);
  if (mask_bytes_ == 0 || mask_bytes_ % kWordBytes != 0 || mask_bytes_ > kMaxNodes / 8)
    return Error{ErrorCode::kCorrupt, "nodemask_t: size of " + std::to_string(mask_bytes_) + " bytes"};
  online_mask_ = KTSTR_TRY(kernel.address("node_states")) + static_cast<std::uint64_t>(*online) * mask_bytes_;
  return ok();
}

Readings<PerNodeNumaStats> NumaReader::read(const Kernel& kernel) const {
  Readings<PerNodeNumaStats> readings;
  const auto nodes = online_nodes(kernel);
  if (!nodes) readings.problems.push_back(nodes.error().message);
  for (const std::uint32_t node : nodes.value_or(std::vector<std::uint32_t>())) {
    auto stats = read_node(kernel, node);
    if (!stats) stats = std::move(stats.error()).with_context("node" + std::to_string(node));
    readings.add(std::move(stats));
  }
  return readings;
}

Result<std::vector<std::uint32_t>> NumaReader::online_nodes(const Kernel& kernel) const {
  std::vector<std::byte> mask(mask_bytes_);
  if (!kernel.read_bytes(online_mask_, mask)) return unreadable("node_states");
  std::vector<std::uint32_t> nodes;
  for (std::size_t i = 0; i < mask_bytes_ / kWordBytes; ++i)
    for (std::uint64_t bits = element<std::uint64_t>(mask, i); bits != 0; bits &= bits - 1)
      nodes.push_back(static_cast<std::uint32_t>(i * 64) +
                      static_cast<std::uint32_t>(std::countr_zero(bits)));
  return nodes;
}

Result<PerNodeNumaStats> NumaReader::read_node(const Kernel& kernel, std::uint32_t node) const {
  const auto data = kernel.read<KernelVirt>(node_data_ + node * sizeof(KernelVirt));
  if (!data) return unreadable("its entry of node_data");
  const bool plausible = kernel.plausible_pointer(*data);
  if (!plausible || node_.node_id.read(kernel, *data) != static_cast<std::int32_t>(node))
    return Error{ErrorCode::kCorrupt, "its entry of node_data leads to no pglist_data of that node"};
  Counts sum{};
  for (std::size_t i = 0; i < zones_; ++i)
    KTSTR_TRY(add_zone(kernel, node_.node_zones.address(*data) + i * zone_.size(), sum));
  return PerNodeNumaStats{node, sum[0], sum[1], sum[2], sum[3], sum[4], sum[5]};
}

Status NumaReader::add_zone(const Kernel& kernel, KernelVirt zone, Counts& sum) const {
  StructBytes bytes;
  if (!bytes.capture(kernel, zone_, zone)) return unreadable("a zone");
  if (!add_events(kernel, zone_.vm_numa_event.address(zone), sum)) return unreadable("a zone's counters");
  // All zones without pages share one set of per-CPU counters, which are nobody's (boot_zonestats).
  if (zone_.present_pages.of(bytes) == 0) return ok();
  const KernelVirt pointer = zone_.per_cpu_zonestats.of(bytes);
  for (const std::size_t cpu : kernel.possible_cpus().to_vector()) {
    const KernelVirt place = KTSTR_TRY(kernel.per_cpu(pointer, cpu));
    if (!add_events(kernel, zonestat_.vm_numa_event.address(place), sum))
      return unreadable("a zone's counters of cpu" + std::to_string(cpu));
  }
  return ok();
}

bool NumaReader::add_events(const Kernel& kernel, KernelVirt events, Counts& sum) const {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const auto count = kernel.read<std::uint64_t>(events + event_indices_[i] * kWordBytes);
    if (!count) return false;
    sum[i] += *count;
  }
  return true;
}

}  // namespace ktstr::introspect
