#include <doctest/doctest.h>

#include "introspect/bpf/map_list.h"
#include "introspect/bpf/read_map.h"
#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::introspect::test {
namespace {

/// A ring of 64 bytes.
struct RingGuest : BpfGuest {
  KernelVirt ring = memory().allocate(memory().size_of("bpf_ringbuf") + 128);
  KernelVirt map = add_map("bpf_ringbuf_map", {"ring", map_type::kRingbuf, 0, 0, 64});

  RingGuest() {
    set(map, "bpf_ringbuf_map", "rb", ring);
    set(ring, "bpf_ringbuf", "mask", std::uint64_t{63});
  }
  void set_positions(std::uint64_t consumer, std::uint64_t producer) {
    set(ring, "bpf_ringbuf", "consumer_pos", consumer);
    set(ring, "bpf_ringbuf", "producer_pos", producer);
  }
  void put_record(std::uint64_t position, std::uint32_t header, std::uint64_t payload) {
    const KernelVirt at = place(ring, "bpf_ringbuf", "data") + (position & 63);
    memory().write(at, header);
    memory().write(at + 8, payload);
  }
  [[nodiscard]] RingbufContents read() const {
    return read_ringbuf({attach(), layouts(), info(map)}).value();
  }
};

/// A trie of IPv4-like keys: 4 bytes of data, values of 8.
struct TrieGuest : BpfGuest {
  KernelVirt map = add_map("lpm_trie", {"trie", map_type::kLpmTrie, 8, 8, 16});

  TrieGuest() {
    set(map, "lpm_trie", "data_size", std::uint64_t{4});
    set(map, "lpm_trie", "max_prefixlen", std::uint64_t{32});
  }
  KernelVirt add_node(std::uint32_t prefix, std::uint32_t data_big_endian, std::uint64_t value,
                      bool fork = false) {
    const KernelVirt node = memory().allocate(memory().size_of("lpm_trie_node") + 16);
    set(node, "lpm_trie_node", "prefixlen", prefix);
    set(node, "lpm_trie_node", "flags", std::uint32_t{fork});
    memory().write(place(node, "lpm_trie_node", "data"), __builtin_bswap32(data_big_endian));
    memory().write(place(node, "lpm_trie_node", "data") + 4, value);
    return node;
  }
  void set_child(KernelVirt parent, unsigned side, KernelVirt child) {
    memory().write(place(parent, "lpm_trie_node", "child") + side * std::uint64_t{8}, child);
  }
  [[nodiscard]] ValueContents read() const { return read_lpm_trie({attach(), layouts(), info(map)}).value(); }
};

/// A task storage with two buckets.
struct StorageGuest : BpfGuest {
  KernelVirt map = add_map("bpf_local_storage_map", {"tasks", map_type::kTaskStorage, 4, 8, 0});
  KernelVirt buckets = memory().allocate(2 * memory().size_of("bpf_local_storage_map_bucket"));

  StorageGuest() {
    set(map, "bpf_local_storage_map", "buckets", buckets);
    set(map, "bpf_local_storage_map", "bucket_log", std::uint32_t{1});
  }
  KernelVirt add(unsigned bucket, KernelVirt owner, std::uint64_t value) {
    const KernelVirt head = buckets + bucket * memory().size_of("bpf_local_storage_map_bucket");
    const KernelVirt element = memory().allocate(memory().size_of("bpf_local_storage_elem") + 8);
    const KernelVirt storage = memory().allocate(memory().size_of("bpf_local_storage"));
    set(storage, "bpf_local_storage", "owner", owner);
    set(element, "bpf_local_storage_elem", "local_storage", storage);
    set(element, "bpf_local_storage_elem", "sdata.smap", map);
    set(element, "bpf_local_storage_elem", "map_node.next", get<KernelVirt>(head));
    memory().write(place(element, "bpf_local_storage_elem", "sdata.data"), value);
    memory().write(head, place(element, "bpf_local_storage_elem", "map_node"));
    return element;
  }
  KernelVirt add_task(std::int32_t pid, std::string_view comm) {
    const KernelVirt task = memory().allocate(memory().size_of("task_struct"));
    set(task, "task_struct", "pid", pid);
    set(task, "task_struct", "tgid", pid - 1);
    set_name(place(task, "task_struct", "comm"), comm);
    return task;
  }
  [[nodiscard]] LocalStorageContents read() const {
    return read_local_storage({attach(), layouts(), info(map)}).value();
  }
};

}  // namespace

TEST_CASE("a ring that overwrites begins at the oldest record that is still whole") {
  RingGuest guest;
  guest.set(guest.ring, "bpf_ringbuf", "overwrite_mode", std::uint8_t{1});
  guest.set(guest.ring, "bpf_ringbuf", "overwrite_pos", std::uint64_t{64});
  guest.set_positions(0, 112);
  for (std::uint64_t position = 0; position < 112; position += 16) guest.put_record(position, 8, position);
  const auto contents = guest.read();
  CHECK(contents.marks.whole());
  REQUIRE(contents.records.size() == 3);
  CHECK(contents.records[0].position == 64);
  CHECK(number<std::uint64_t>(contents.records[0].bytes) == 64);
  CHECK(contents.records[2].position == 96);
}

TEST_CASE("what was consumed of a ring that overwrites is not shown again") {
  RingGuest guest;
  guest.set(guest.ring, "bpf_ringbuf", "overwrite_mode", std::uint8_t{1});
  guest.set(guest.ring, "bpf_ringbuf", "overwrite_pos", std::uint64_t{16});
  guest.set_positions(32, 48);
  for (std::uint64_t position = 0; position < 48; position += 16) guest.put_record(position, 8, position);
  const auto contents = guest.read();
  REQUIRE(contents.records.size() == 1);
  CHECK(contents.records[0].position == 32);
}

TEST_CASE("without overwriting, records that could not all be there are no records") {
  RingGuest guest;
  guest.set(guest.ring, "bpf_ringbuf", "overwrite_pos", std::uint64_t{64});
  guest.set_positions(0, 112);
  CHECK(guest.read().records.empty());
  CHECK(guest.read().marks.reason == "the positions contradict each other");
}

TEST_CASE("ring buffer records between consumer and producer, busy and discarded ones told") {
  RingGuest guest;
  guest.set_positions(48, 48 + 3 * 16);
  guest.put_record(48, 8, 0xaaaa);
  guest.put_record(64, 8 | 1U << 30, 0xbbbb);
  guest.put_record(80, 8 | 1U << 31, 0xcccc);
  const auto contents = guest.read();
  CHECK(contents.marks.whole());
  CHECK(contents.positions.capacity == 64);
  CHECK(contents.positions.pending_bytes == 48);
  REQUIRE(contents.records.size() == 3);
  CHECK(number<std::uint64_t>(contents.records[0].bytes) == 0xaaaa);
  CHECK(contents.records[1].discarded);
  CHECK(contents.records[2].busy);
  CHECK(contents.records[2].bytes.empty());
}

TEST_CASE("a record that would reach past the producer ends the walk as corrupt") {
  RingGuest guest;
  guest.set_positions(0, 16);
  guest.put_record(0, 4096, 0);
  CHECK(guest.read().records.empty());
  CHECK(guest.read().marks.corrupt == 1);
}

TEST_CASE("positions further apart than the ring is long give no records") {
  RingGuest guest;
  guest.set_positions(0, 72);
  CHECK(guest.read().records.empty());
  CHECK(guest.read().marks.reason == "the positions contradict each other");
}

TEST_CASE("a trie's entries with their prefixes; forks have no value") {
  TrieGuest guest;
  const KernelVirt fork = guest.add_node(8, 0x0a000000, 0, true);
  const KernelVirt low = guest.add_node(16, 0x0a010000, 116);
  const KernelVirt high = guest.add_node(24, 0x0a808000, 124);
  guest.set_child(fork, 0, low);
  guest.set_child(fork, 1, high);
  guest.set(guest.map, "lpm_trie", "root", fork);
  const auto contents = guest.read();
  CHECK(contents.marks.whole());
  REQUIRE(contents.entries.size() == 2);
  CHECK(number<std::uint32_t>(contents.entries.key(0).first(4)) == 16);
  CHECK(number<std::uint64_t>(contents.entries.value(0).value()) == 116);
  CHECK(number<std::uint32_t>(contents.entries.key(1).first(4)) == 24);
}

TEST_CASE("a trie node on the wrong side, and a cycle, are refused") {
  TrieGuest guest;
  const KernelVirt root = guest.add_node(8, 0x0a000000, 1);
  const KernelVirt child = guest.add_node(16, 0x0a010000, 2);
  guest.set_child(root, 1, child);
  guest.set_child(root, 0, root);
  guest.set(guest.map, "lpm_trie", "root", root);
  const auto contents = guest.read();
  CHECK(contents.entries.size() == 1);
  CHECK(contents.marks.corrupt == 2);
}

TEST_CASE("task storage: values with the tasks they belong to") {
  StorageGuest guest;
  guest.add(0, guest.add_task(101, "one"), 11);
  guest.add(1, guest.add_task(202, "two"), 22);
  const auto contents = guest.read();
  CHECK(contents.marks.whole());
  REQUIRE(contents.entries.size() == 2);
  CHECK(number<std::uint64_t>(contents.entries.value(0).value()) == 11);
  CHECK(contents.owners[0].pid == 101);
  CHECK(contents.owners[1].tgid == 201);
  CHECK(contents.owners[1].name == "two");
}

TEST_CASE("a storage element of another map is refused, an unreadable owner stays unnamed") {
  StorageGuest guest;
  guest.add(0, BpfGuest::kUnmapped, 11);
  const KernelVirt strange = guest.add(1, guest.add_task(1, "x"), 22);
  guest.set(strange, "bpf_local_storage_elem", "sdata.smap", BpfGuest::kUnmapped);
  const auto contents = guest.read();
  REQUIRE(contents.entries.size() == 1);
  CHECK(contents.owners[0].address == BpfGuest::kUnmapped);
  CHECK_FALSE(contents.owners[0].pid.has_value());
  CHECK(contents.marks.corrupt == 1);
}

TEST_CASE("struct_ops: state by name, both copies of the operations") {
  BpfGuest guest;
  const KernelVirt map =
      guest.add_map("bpf_struct_ops_map", {"ktstr_ops", map_type::kStructOps, 4, 16, 1}, 16);
  const KernelVirt user = guest.memory().allocate(16);
  guest.memory().write(user + 8, std::uint64_t{42});
  guest.set(map, "bpf_struct_ops_map", "kvalue.common.state", std::uint32_t{1});
  guest.set(map, "bpf_struct_ops_map", "uvalue", user);
  guest.memory().write(guest.place(map, "bpf_struct_ops_map", "kvalue.data"), std::uint64_t{0xffff});
  const auto contents = read_struct_ops({guest.attach(), guest.layouts(), guest.info(map)}).value();
  CHECK(contents.state_name == "INUSE");
  CHECK(number<std::uint64_t>(std::span(contents.kernel_value).subspan(8)) == 0xffff);
  CHECK(number<std::uint64_t>(std::span(contents.user_value).subspan(8)) == 42);
  CHECK(contents.data_address == guest.place(map, "bpf_struct_ops_map", "kvalue.data"));
}

TEST_CASE("an arena's place in both address spaces, and its scratch page") {
  BpfGuest guest;
  const KernelVirt map = guest.add_map("bpf_arena", {"arena", map_type::kArena, 0, 0, 100});
  const KernelVirt area = guest.memory().allocate(64);
  guest.set(area, "vm_struct", "addr", KernelVirt(0xffff'c900'0000'0000));
  guest.set(map, "bpf_arena", "kern_vm", area);
  guest.set(map, "bpf_arena", "user_vm_start", std::uint64_t{0x1000'0000'0000});
  const Kernel kernel = guest.attach();
  const auto contents = read_arena({kernel, guest.layouts(), guest.info(map)}).value();
  CHECK(contents.user_vm_start == UserVirt(0x1000'0000'0000));
  CHECK(contents.kern_vm_start == KernelVirt(0xffff'c900'0000'8000));
  CHECK_FALSE(contents.nr_pages.has_value());
  CHECK_FALSE(contents.scratch_page.has_value());
  guest.set(map, "bpf_arena", "scratch_page", kernel.vmemmap_base() + 64 * 5);
  CHECK(read_arena({kernel, guest.layouts(), guest.info(map)})->scratch_page == GuestPhys(5 * 4096));
}

TEST_CASE("an arena's pages in use are those that its tree of free ranges leaves") {
  BpfGuest guest;
  const KernelVirt map = guest.add_map("bpf_arena", {"arena", map_type::kArena, 0, 0, 100});
  const KernelVirt area = guest.memory().allocate(64);
  guest.set(area, "vm_struct", "addr", KernelVirt(0xffff'c900'0000'0000));
  guest.set(map, "bpf_arena", "kern_vm", area);
  const auto add_range = [&](std::uint32_t first, std::uint32_t last) {
    const KernelVirt range = guest.memory().allocate(guest.memory().size_of("range_node"));
    guest.set(range, "range_node", "rn_start", first);
    guest.set(range, "range_node", "rn_last", last);
    return range;
  };
  const auto allocated = [&] {
    return read_arena({guest.attach(), guest.layouts(), guest.info(map)})->allocated;
  };
  using Ranges = std::vector<ArenaPageRange>;
  CHECK(allocated() == Ranges{{0, 100}});
  const KernelVirt upper = add_range(20, 99), lower = add_range(4, 9);
  guest.set(map, "bpf_arena", "rt.it_root.rb_root.rb_node", upper);
  CHECK(allocated() == Ranges{{0, 20}});
  guest.set(upper, "range_node", "rn_rbnode.rb_left", lower);
  guest.set(lower, "range_node", "rn_rbnode.__rb_parent_color", upper.value());
  CHECK(allocated() == Ranges{{0, 4}, {10, 10}});
  guest.set(lower, "range_node", "rn_last", std::uint32_t{20});
  CHECK_FALSE(allocated().has_value());
  guest.set(lower, "range_node", "rn_last", std::uint32_t{9});
  guest.set(upper, "range_node", "rn_last", std::uint32_t{100});
  CHECK_FALSE(allocated().has_value());
}

TEST_CASE("an arena that contradicts itself is refused") {
  BpfGuest guest;
  const KernelVirt map = guest.add_map("bpf_arena", {"arena", map_type::kArena, 0, 0, 100});
  const KernelVirt area = guest.memory().allocate(64);
  const Kernel kernel = guest.attach();
  const auto code = [&] { return read_arena({kernel, guest.layouts(), guest.info(map)}).error().code; };
  CHECK(code() == ErrorCode::kCorrupt);  // no mapping
  guest.set(map, "bpf_arena", "kern_vm", BpfGuest::kUnmapped);
  CHECK(code() == ErrorCode::kOutOfRange);
  guest.set(map, "bpf_arena", "kern_vm", area);
  CHECK(code() == ErrorCode::kCorrupt);  // a mapping at no address
}

TEST_CASE("the reader is picked by type, and a type without one is named") {
  BpfGuest guest;
  const auto array = guest.info(guest.add_array({"array", map_type::kArray, 4, 8, 1}, {3}));
  const auto cpus = guest.info(guest.add_map("bpf_map", {"cpus", 16}));
  const Kernel kernel = guest.attach();
  const auto contents = read_map_contents(kernel, guest.layouts(), array).value();
  CHECK(std::get<ValueContents>(contents).entries.size() == 1);
  CHECK(read_map_contents(kernel, guest.layouts(), cpus).error().message ==
        "no reader for maps of type CPUMAP");
}

}  // namespace ktstr::introspect::test
