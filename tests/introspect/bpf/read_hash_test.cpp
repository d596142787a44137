#include <doctest/doctest.h>

#include <map>

#include "introspect/bpf/map_list.h"
#include "introspect/bpf/read_map.h"
#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::introspect::test {
namespace {

/// A table of eight buckets.
struct HashGuest : BpfGuest {
  KernelVirt table = add_hash({"hash", map_type::kHash, 4, 8, 8});

  [[nodiscard]] ValueContents read(const MapReadLimits& limits = {}) const {
    return read_hash({attach(), layouts(), info(table), limits}).value();
  }
};

std::map<std::uint32_t, std::uint64_t> as_map(const MapEntries& entries) {
  std::map<std::uint32_t, std::uint64_t> result;
  for (std::size_t i = 0; i < entries.size(); ++i)
    result.emplace(number<std::uint32_t>(entries.key(i)), number<std::uint64_t>(entries.value(i).value()));
  return result;
}

}  // namespace

TEST_CASE("all elements of a hash table are read, chains included") {
  HashGuest guest;
  guest.add_element(guest.table, 0x10, 1, 100);
  guest.add_element(guest.table, 0x18, 2, 200);
  guest.add_element(guest.table, 0x17, 3, 300);
  const auto contents = guest.read();
  CHECK(contents.marks.whole());
  CHECK(contents.entries.size() == 3);
  CHECK(as_map(contents.entries) == std::map<std::uint32_t, std::uint64_t>{{1, 100}, {2, 200}, {3, 300}});
}

TEST_CASE("an empty table is whole") {
  const HashGuest guest;
  CHECK(guest.read().entries.empty());
  CHECK(guest.read().marks.whole());
}

TEST_CASE("an element whose hash is of another bucket is refused, what came before it is kept") {
  HashGuest guest;
  const KernelVirt moved = guest.add_element(guest.table, 0x10, 1, 100);
  guest.add_element(guest.table, 0x18, 2, 200);
  guest.set(moved, "htab_elem", "hash", std::uint32_t{0x11});
  const auto contents = guest.read();
  CHECK(as_map(contents.entries) == std::map<std::uint32_t, std::uint64_t>{{2, 200}});
  CHECK(contents.marks.corrupt == 1);
  CHECK(contents.marks.reason == "an element of another bucket");
}

TEST_CASE("a chain that ends in another bucket's mark is told") {
  HashGuest guest;
  const KernelVirt node = guest.add_element(guest.table, 0x10, 1, 100);
  guest.set(node, "htab_elem", "hash_node.next", std::uint64_t{3} << 1 | 1);
  CHECK(guest.read().marks.corrupt == 1);
  CHECK(guest.read().marks.reason == "a bucket's chain ends in another bucket");
}

TEST_CASE("a cycle gives each of its elements once") {
  HashGuest guest;
  const KernelVirt last = guest.add_element(guest.table, 0x10, 1, 100);
  guest.add_element(guest.table, 0x18, 2, 200);
  const KernelVirt first = guest.add_element(guest.table, 0x20, 3, 300);
  guest.set(last, "htab_elem", "hash_node.next", first);
  const auto contents = guest.read();
  CHECK(contents.entries.size() == 3);
  CHECK(contents.marks.corrupt == 1);
  CHECK(contents.marks.reason == "a bucket's chain is a cycle");
}

TEST_CASE("a cycle that the cap cuts is not given twice either") {
  HashGuest guest;
  const KernelVirt last = guest.add_element(guest.table, 0x10, 1, 100);
  const KernelVirt first = guest.add_element(guest.table, 0x18, 2, 200);
  guest.set(last, "htab_elem", "hash_node.next", first);
  MapReadLimits limits;
  limits.hash_entries = 3;
  CHECK(guest.read(limits).entries.size() == 2);
}

TEST_CASE("an unreadable element is counted, not taken for the end") {
  HashGuest guest;
  guest.memory().write(guest.bucket(guest.table, 4), BpfGuest::kUnmapped);
  guest.add_element(guest.table, 5, 1, 100);
  const auto contents = guest.read();
  CHECK(contents.entries.size() == 1);
  CHECK(contents.marks.unreadable == 1);
  CHECK(contents.marks.corrupt == 0);
}

TEST_CASE("a null or user pointer in a bucket is refused") {
  HashGuest guest;
  guest.memory().write(guest.bucket(guest.table, 0), std::uint64_t{0});
  guest.memory().write(guest.bucket(guest.table, 1), std::uint64_t{0x1000});
  CHECK(guest.read().marks.corrupt == 2);
}

TEST_CASE("the entry cap cuts and says so") {
  HashGuest guest;
  for (std::uint32_t i = 0; i < 6; ++i) guest.add_element(guest.table, i, i, i);
  MapReadLimits limits;
  limits.hash_entries = 6;
  CHECK_FALSE(guest.read(limits).marks.truncated);
  limits.hash_entries = 4;
  CHECK(guest.read(limits).entries.size() == 4);
  CHECK(guest.read(limits).marks.truncated);
}

TEST_CASE("the byte cap cuts a table of large values") {
  HashGuest guest;
  for (std::uint32_t i = 0; i < 6; ++i) guest.add_element(guest.table, i, i, i);
  MapReadLimits limits;
  const auto all = guest.read(limits).entries;
  limits.bytes = all.memory_bytes() / all.size() * 3;
  CHECK(guest.read(limits).entries.size() == 3);
  CHECK(guest.read(limits).marks.truncated);
}

TEST_CASE("a table whose shape contradicts its header is no table") {
  HashGuest guest;
  guest.set(guest.table, "bpf_htab", "n_buckets", std::uint32_t{1} << 31);
  CHECK(read_hash({guest.attach(), guest.layouts(), guest.info(guest.table)}).error().code ==
        ErrorCode::kCorrupt);
  guest.set(guest.table, "bpf_htab", "n_buckets", std::uint32_t{8});
  guest.set(guest.table, "bpf_map", "value_size", std::uint32_t{4000});
  CHECK(read_hash({guest.attach(), guest.layouts(), guest.info(guest.table)}).error().code ==
        ErrorCode::kCorrupt);
}

TEST_CASE("unreadable buckets are counted by the page, however many there are") {
  HashGuest guest;
  guest.set(guest.table, "bpf_map", "max_entries", std::uint32_t{1} << 31);
  guest.set(guest.table, "bpf_htab", "n_buckets", std::uint32_t{1} << 31);
  guest.set(guest.table, "bpf_htab", "buckets", BpfGuest::kUnmapped);
  const auto contents = guest.read();
  CHECK(contents.entries.empty());
  CHECK(contents.marks.truncated);
  CHECK(contents.marks.unreadable == std::uint64_t{1} << 24);
}

TEST_CASE("a per-CPU hash has a value for each CPU") {
  BpfGuest guest;
  const KernelVirt table = guest.add_hash({"percpu", map_type::kPerCpuHash, 4, 4, 4});
  const KernelVirt pointer = guest.memory().allocate_per_cpu(8);
  for (std::uint32_t cpu = 0; cpu < BpfGuest::kCpus; ++cpu)
    guest.memory().write(guest.memory().per_cpu(pointer, cpu), 50 + cpu);
  guest.add_element(table, 2, 7, pointer.value());
  const auto contents = read_percpu_hash({guest.attach(), guest.layouts(), guest.info(table)}).value();
  REQUIRE(contents.entries.size() == 1);
  CHECK(contents.entries.slots() == BpfGuest::kCpus);
  CHECK(number<std::uint32_t>(contents.entries.key(0)) == 7);
  CHECK(number<std::uint32_t>(contents.entries.value(0, 0).value()) == 50);
  CHECK(number<std::uint32_t>(contents.entries.value(0, 1).value()) == 51);
}

TEST_CASE("a hash of maps names its maps") {
  BpfGuest guest;
  const KernelVirt inner = guest.add_array({"inner", map_type::kArray}, {});
  const KernelVirt table = guest.add_hash({"outer", map_type::kHashOfMaps, 4, 4, 4});
  guest.add_element(table, 1, 1001, inner.value());
  guest.add_element(table, 2, 1002, 12);
  const auto contents = read_fd_array({guest.attach(), guest.layouts(), guest.info(table)}).value();
  REQUIRE(contents.slots.size() == 1);
  CHECK(contents.populated == 1);
  CHECK(contents.slots[0].id == 1);
  CHECK(contents.slots[0].name == "inner");
  CHECK(number<std::uint32_t>(contents.keys.key(contents.slots[0].index)) == 1001);
  CHECK(contents.marks.corrupt == 1);
}

}  // namespace ktstr::introspect::test
