// Every reader on memory with words changed at random: whatever is claimed, it ends, and soon.
#include <doctest/doctest.h>

#include <random>

#include "introspect/bpf/active_object.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/bpf/programs.h"
#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::introspect::test {
namespace {

struct CrowdedGuest : BpfGuest {
  std::vector<KernelVirt> touched;  ///< the start of each structure that may be damaged

  CrowdedGuest() {
    const KernelVirt array = add_array({"ktstr.bss", map_type::kArray, 4, 8, 4}, {1, 2, 3, 4});
    const KernelVirt hash = add_hash({"hash", map_type::kHash, 4, 8, 8});
    for (std::uint32_t i = 0; i < 8; ++i) touched.push_back(add_element(hash, i * 3, i, i));
    const KernelVirt per_cpu = add_hash({"percpu", map_type::kPerCpuHash, 4, 8, 4});
    add_element(per_cpu, 1, 1, memory().allocate_per_cpu(8).value());
    const KernelVirt maps = add_array({"maps", map_type::kArrayOfMaps, 4, 4, 2}, {array.value()});
    const KernelVirt queue = add_map("bpf_queue_stack", {"queue", map_type::kQueue, 0, 8, 4}, 40);
    const KernelVirt ring = add_map("bpf_ringbuf_map", {"ring", map_type::kRingbuf, 0, 0, 64});
    const KernelVirt buffer = memory().allocate(256);
    set(ring, "bpf_ringbuf_map", "rb", buffer);
    set(buffer, "bpf_ringbuf", "mask", std::uint64_t{63});
    const KernelVirt trie = add_map("lpm_trie", {"trie", map_type::kLpmTrie, 8, 8, 4});
    const KernelVirt bloom = add_map("bpf_bloom_filter", {"bloom", map_type::kBloomFilter, 0, 4, 8}, 16);
    const KernelVirt storage = add_map("bpf_local_storage_map", {"tasks", map_type::kTaskStorage, 4, 8, 0});
    const KernelVirt program = add_program("enqueue", kStructOpsProgType, {array, hash});
    touched.insert(touched.end(), {array, hash, per_cpu, maps, queue, ring, buffer, trie, bloom, storage,
                                   program, memory().symbol("map_idr"), memory().symbol("prog_idr")});
  }

  void damage(std::mt19937_64& random) {
    const KernelVirt base = touched[random() % touched.size()];
    const std::uint64_t choices[] = {random(),          base.value(),      0,
                                     ~std::uint64_t{0}, kUnmapped.value(), random() % 256};
    memory().write(base + random() % 20 * 8, choices[random() % std::size(choices)]);
  }
};

/// Entries of a map that were shown; none may be beyond its caps.
std::size_t shown_entries(const MapContents& contents) {
  if (const auto* values = std::get_if<ValueContents>(&contents)) return values->entries.size();
  if (const auto* slots = std::get_if<FdArrayContents>(&contents)) return slots->slots.size();
  if (const auto* ring = std::get_if<RingbufContents>(&contents)) return ring->records.size();
  return 0;
}

}  // namespace

TEST_CASE("no damage makes a reader run away or show more than its caps") {
  MapReadLimits limits;
  limits.bytes = 1U << 20;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    CrowdedGuest guest;
    std::mt19937_64 random(seed);
    for (int i = 0; i < 12; ++i) guest.damage(random);
    const Kernel kernel = guest.attach();
    const BpfLayouts layouts = guest.layouts();
    const auto maps = list_bpf_maps(kernel, layouts).value();
    const auto programs = list_bpf_programs(kernel, layouts).value();
    CHECK(maps.items.size() <= kMaxBpfObjects);
    ProgramBtfCache cache(kernel, layouts);
    for (const BpfMapInfo& map : maps.items) {
      const auto contents = read_map_contents(kernel, layouts, map, limits);
      CHECK((!contents || shown_entries(*contents) <= limits.hash_entries));
      const MapTypes types = cache.types_of(map);
      CHECK((types.btf != nullptr || !types.unavailable.empty()));
    }
    const auto active = find_active_object(kernel, layouts, maps.items, programs.items);
    CHECK((!active || active->name.size() <= kBpfNameBytes));
  }
}

}  // namespace ktstr::introspect::test
