#include <doctest/doctest.h>

#include "introspect/bpf/map_list.h"
#include "introspect/bpf/read_map.h"
#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::introspect::test {
namespace {

std::vector<std::uint64_t> values_of(const MapEntries& entries) {
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < entries.size(); ++i)
    values.push_back(number<std::uint64_t>(entries.value(i).value()));
  return values;
}

/// A ring of five places for at most four elements: 10, 11, 12 from the fourth place on.
KernelVirt add_ring(BpfGuest& guest, std::uint32_t type) {
  const KernelVirt map = guest.add_map("bpf_queue_stack", {"ring", type, 0, 8, 4}, 5 * 8);
  guest.set(map, "bpf_queue_stack", "size", std::uint32_t{5});
  guest.set(map, "bpf_queue_stack", "tail", std::uint32_t{3});
  guest.set(map, "bpf_queue_stack", "head", std::uint32_t{1});
  const KernelVirt elements = guest.place(map, "bpf_queue_stack", "elements");
  guest.memory().write(elements + 3 * 8, std::uint64_t{10});
  guest.memory().write(elements + 4 * 8, std::uint64_t{11});
  guest.memory().write(elements, std::uint64_t{12});
  return map;
}

}  // namespace

TEST_CASE("an array's values come in the order of their keys") {
  BpfGuest guest;
  const auto map = guest.info(guest.add_array({"array", map_type::kArray, 4, 8, 3}, {10, 20, 30}));
  const auto contents = read_array({guest.attach(), guest.layouts(), map}).value();
  CHECK(values_of(contents.entries) == std::vector<std::uint64_t>{10, 20, 30});
  CHECK(contents.marks.whole());
}

TEST_CASE("values are cut out of their padding") {
  BpfGuest guest;
  const auto map = guest.info(guest.add_array({"array", map_type::kArray, 4, 5, 2}, {~std::uint64_t{0}, 1}));
  const auto contents = read_array({guest.attach(), guest.layouts(), map}).value();
  CHECK(contents.entries.value(0)->size() == 5);
  CHECK(std::to_integer<int>(contents.entries.value(1)->front()) == 1);
}

TEST_CASE("array elements past the end of RAM are unreadable, not zero, and the others are read") {
  BpfGuest guest;
  auto map = guest.info(guest.add_array({"array", map_type::kArray, 4, 8, 3}, {10, 20, 30}));
  const KernelVirt end(0xffff'8880'0000'0000 + (16U << 20));
  const KernelVirt edge = end - guest.memory().size_of("bpf_array") - 16;
  std::memcpy(guest.memory().at(edge), guest.memory().at(map.address),
              guest.memory().size_of("bpf_array") + 16);
  map.address = edge;
  const auto contents = read_array({guest.attach(), guest.layouts(), map}).value();
  REQUIRE(contents.entries.size() == 3);
  CHECK(number<std::uint64_t>(contents.entries.value(1).value()) == 20);
  CHECK_FALSE(contents.entries.value(2).has_value());
  CHECK(contents.marks.unreadable == 1);
}

TEST_CASE("caps on keys and on bytes cut an array") {
  BpfGuest guest;
  const auto map = guest.info(guest.add_array({"array", map_type::kArray, 4, 8, 9}, {}));
  MapReadLimits limits;
  limits.array_keys = 4;
  CHECK(read_array({guest.attach(), guest.layouts(), map, limits})->entries.size() == 4);
  CHECK(read_array({guest.attach(), guest.layouts(), map, limits})->marks.truncated);
  limits = {};
  const auto two = read_array({guest.attach(), guest.layouts(), map, limits})->entries;
  limits.bytes = two.memory_bytes() / two.size() * 2;
  CHECK(read_array({guest.attach(), guest.layouts(), map, limits})->entries.size() == 2);
  CHECK(read_array({guest.attach(), guest.layouts(), map, limits})->marks.truncated);
}

TEST_CASE("an array that claims values of gigabytes is refused") {
  BpfGuest guest;
  auto map = guest.info(guest.add_array({"array", map_type::kArray, 4, 8, 1}, {}));
  map.value_size = 0xffff'fff0;
  CHECK(read_array({guest.attach(), guest.layouts(), map}).error().code == ErrorCode::kUnavailable);
  map.value_size = 16;
  CHECK(read_array({guest.attach(), guest.layouts(), map}).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a number of entries that the index mask denies is not believed") {
  BpfGuest guest;
  auto map = guest.info(guest.add_array({"array", map_type::kArray, 4, 8, 3}, {}));
  map.max_entries = 4000;
  CHECK(read_array({guest.attach(), guest.layouts(), map}).error().code == ErrorCode::kCorrupt);
  CHECK(read_fd_array({guest.attach(), guest.layouts(), map}).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a per-CPU array has each CPU's value, and tells which it could not read") {
  BpfGuest guest;
  const KernelVirt map = guest.add_array({"percpu", map_type::kPerCpuArray, 4, 8, 2}, {});
  const KernelVirt pointer = guest.memory().allocate_per_cpu(8);
  guest.memory().write(guest.memory().per_cpu(pointer, 0), std::uint64_t{5});
  guest.memory().write(guest.memory().per_cpu(pointer, 1), std::uint64_t{6});
  guest.memory().write(guest.place(map, "bpf_array", "value"), pointer);
  const auto contents = read_percpu_array({guest.attach(), guest.layouts(), guest.info(map)}).value();
  REQUIRE(contents.entries.size() == 2);
  CHECK(number<std::uint64_t>(contents.entries.value(0, 0).value()) == 5);
  CHECK(number<std::uint64_t>(contents.entries.value(0, 1).value()) == 6);
  CHECK_FALSE(contents.entries.value(1, 0).has_value());
  CHECK(contents.marks.unreadable == 2);
}

TEST_CASE("pointers of a per-CPU array are 8 bytes apart, whatever size its values have") {
  BpfGuest guest;
  const KernelVirt map = guest.add_array({"percpu", map_type::kPerCpuArray, 4, 24, 2}, {});
  guest.set(map, "bpf_array", "elem_size", std::uint32_t{24});
  for (std::uint64_t key = 0; key < 2; ++key) {
    const KernelVirt pointer = guest.memory().allocate_per_cpu(24);
    guest.memory().write(guest.place(map, "bpf_array", "value") + key * 8, pointer);
    for (std::size_t cpu = 0; cpu < 2; ++cpu)
      for (std::uint64_t word = 0; word < 3; ++word)
        guest.memory().write(guest.memory().per_cpu(pointer, cpu) + word * 8, key * 100 + cpu * 10 + word);
  }
  const auto contents = read_percpu_array({guest.attach(), guest.layouts(), guest.info(map)}).value();
  REQUIRE(contents.entries.size() == 2);
  CHECK(contents.marks.whole());
  for (std::size_t key = 0; key < 2; ++key)
    for (std::size_t cpu = 0; cpu < 2; ++cpu)
      for (std::size_t word = 0; word < 3; ++word)
        CHECK(number<std::uint64_t>(contents.entries.value(key, cpu)->subspan(word * 8, 8)) ==
              key * 100 + cpu * 10 + word);
}

TEST_CASE("a queue's first entry is the oldest, a stack's the newest") {
  BpfGuest guest;
  const auto queue = guest.info(add_ring(guest, map_type::kQueue));
  const auto stack = guest.info(add_ring(guest, map_type::kStack));
  const Kernel kernel = guest.attach();
  CHECK(values_of(read_queue({kernel, guest.layouts(), queue})->entries) ==
        std::vector<std::uint64_t>{10, 11, 12});
  CHECK(values_of(read_queue({kernel, guest.layouts(), stack})->entries) ==
        std::vector<std::uint64_t>{12, 11, 10});
}

TEST_CASE("a queue whose positions are outside it is corrupt") {
  BpfGuest guest;
  const KernelVirt map = add_ring(guest, map_type::kQueue);
  guest.set(map, "bpf_queue_stack", "head", std::uint32_t{5});
  CHECK(read_queue({guest.attach(), guest.layouts(), guest.info(map)}).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("an array of programs lists the populated slots with ids and names") {
  BpfGuest guest;
  guest.add_program("unused", 26, {});
  const KernelVirt program = guest.add_program("tail_call", 26, {});
  const KernelVirt map = guest.add_array({"progs", map_type::kProgArray, 4, 4, 4}, {0, program.value(), 77});
  const auto contents = read_fd_array({guest.attach(), guest.layouts(), guest.info(map)}).value();
  CHECK(contents.scanned == 4);
  CHECK(contents.populated == 1);
  REQUIRE(contents.slots.size() == 1);
  CHECK(contents.slots[0].index == 1);
  CHECK(contents.slots[0].id == 2);
  CHECK(contents.slots[0].name == "tail_call");
  CHECK(contents.marks.corrupt == 1);
}

TEST_CASE("populated slots beyond the cap are counted, not listed") {
  BpfGuest guest;
  const KernelVirt inner = guest.add_array({"inner", map_type::kArray}, {});
  const KernelVirt map = guest.add_array({"maps", map_type::kArrayOfMaps, 4, 4, 3},
                                         {inner.value(), inner.value(), inner.value()});
  MapReadLimits limits;
  limits.fd_array_indices = 1;
  const auto contents = read_fd_array({guest.attach(), guest.layouts(), guest.info(map), limits}).value();
  CHECK(contents.populated == 3);
  CHECK(contents.slots.size() == 1);
  CHECK(contents.indices_truncated);
  CHECK_FALSE(contents.marks.truncated);
}

TEST_CASE("a bloom filter's bits are counted") {
  BpfGuest guest;
  const KernelVirt map = guest.add_map("bpf_bloom_filter", {"bloom", map_type::kBloomFilter, 0, 4, 8}, 16);
  guest.set(map, "bpf_bloom_filter", "bitset_mask", std::uint32_t{127});
  guest.set(map, "bpf_bloom_filter", "nr_hash_funcs", std::uint32_t{3});
  guest.memory().write(guest.place(map, "bpf_bloom_filter", "bitset"), std::uint64_t{0b1011});
  const auto contents = read_bloom_filter({guest.attach(), guest.layouts(), guest.info(map)}).value();
  CHECK(contents.bits == 128);
  CHECK(contents.bits_set == 3);
  CHECK(contents.hash_functions == 3);
  CHECK(contents.words == std::vector<std::uint64_t>{0b1011, 0});
}

TEST_CASE("stack traces end at the cap on bytes") {
  BpfGuest guest;
  const KernelVirt map = guest.add_map("bpf_stack_map", {"stacks", map_type::kStackTrace, 4, 32, 4}, 4 * 8);
  guest.set(map, "bpf_stack_map", "n_buckets", std::uint32_t{4});
  const KernelVirt bucket = guest.memory().allocate(64);
  guest.set(bucket, "stack_map_bucket", "nr", std::uint32_t{2});
  for (std::uint64_t id = 0; id < 4; ++id)
    guest.memory().write(guest.place(map, "bpf_stack_map", "buckets") + id * 8, bucket);
  MapReadLimits limits;
  const auto all = read_stack_traces({guest.attach(), guest.layouts(), guest.info(map), limits}).value();
  REQUIRE(all.buckets.size() == 4);
  limits.bytes = 2 * all.buckets[0].memory_bytes();
  const auto cut = read_stack_traces({guest.attach(), guest.layouts(), guest.info(map), limits}).value();
  CHECK(cut.buckets.size() == 2);
  CHECK(cut.marks.reason == "more bytes than the cap");
}

TEST_CASE("stack traces: populated buckets, frames within bounds") {
  BpfGuest guest;
  const KernelVirt map = guest.add_map("bpf_stack_map", {"stacks", map_type::kStackTrace, 4, 32, 4}, 4 * 8);
  guest.set(map, "bpf_stack_map", "n_buckets", std::uint32_t{4});
  const KernelVirt good = guest.memory().allocate(64), bad = guest.memory().allocate(64);
  guest.set(good, "stack_map_bucket", "nr", std::uint32_t{2});
  guest.memory().write(guest.place(good, "stack_map_bucket", "data"), std::uint64_t{0x1111});
  guest.memory().write(guest.place(good, "stack_map_bucket", "data") + 8, std::uint64_t{0x2222});
  guest.set(bad, "stack_map_bucket", "nr", std::uint32_t{5});
  const KernelVirt slots = guest.place(map, "bpf_stack_map", "buckets");
  guest.memory().write(slots, bad);
  guest.memory().write(slots + 2 * 8, good);
  guest.memory().write(slots + 3 * 8, BpfGuest::kUnmapped);
  const auto contents = read_stack_traces({guest.attach(), guest.layouts(), guest.info(map)}).value();
  REQUIRE(contents.buckets.size() == 1);
  CHECK(contents.buckets[0].bucket_id == 2);
  CHECK(contents.buckets[0].pcs == std::vector<std::uint64_t>{0x1111, 0x2222});
  CHECK(contents.marks.corrupt == 1);
  CHECK(contents.marks.unreadable == 1);
}

}  // namespace ktstr::introspect::test
