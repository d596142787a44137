#include <doctest/doctest.h>

#include <utility>

#include "engine/base/read.h"
#include "introspect/arena/arena_snapshot.h"
#include "introspect/arena/arena_window.h"
#include "tests/introspect/arena/fake_arena.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

template <class T>
std::optional<T> read(const FakeArena& arena, std::uint64_t offset) {
  T value{};
  if (!arena.reader().read(FakeArena::user(offset), std::as_writable_bytes(std::span(&value, 1)))) return {};
  return value;
}

std::vector<std::uint64_t> addresses(const ArenaSnapshot& snapshot) {
  std::vector<std::uint64_t> result;
  for (const ArenaPage& page : snapshot.pages) result.push_back(page.user_addr);
  return result;
}

}  // namespace

TEST_CASE("an arena's bytes are read by user address, across pages") {
  FakeArena arena;
  arena.put(4092, std::uint32_t{0x44332211});
  arena.put(4096, std::uint32_t{0x88776655});
  CHECK(read<std::uint64_t>(arena, 4092) == 0x8877665544332211);
}

TEST_CASE("pages never allocated, and mapped memory beyond 4 GB, can't be read") {
  FakeArena arena;
  arena.put(0, std::uint64_t{1});
  arena.put(kMaxArenaBytes - 4096, std::uint64_t{1});
  arena.put(kMaxArenaBytes, std::uint64_t{1});
  CHECK_FALSE(read<std::uint64_t>(arena, 4092).has_value());
  CHECK_FALSE(read<std::uint64_t>(arena, 8192).has_value());
  CHECK(read<std::uint32_t>(arena, kMaxArenaBytes - 4).has_value());
  CHECK_FALSE(read<std::uint64_t>(arena, kMaxArenaBytes - 4).has_value());
}

TEST_CASE("the scratch page is no page of the arena's") {
  FakeArena arena;
  arena.put(0, std::uint64_t{7});
  arena.put(4096, std::uint64_t{8});
  arena.window().scratch_page = arena.page(4096);
  CHECK(read<std::uint64_t>(arena, 0) == 7);
  CHECK_FALSE(read<std::uint64_t>(arena, 4096).has_value());
  CHECK(addresses(snapshot_arena(arena.reader(), 16)) == std::vector<std::uint64_t>{FakeArena::user(0)});
}

TEST_CASE("a window holds 4 GB, and nothing before its address is chosen") {
  const ArenaWindow window{kUserStart, kKernelStart, {}};
  CHECK(window.contains(kUserStart));
  CHECK(window.contains(kUserStart + kMaxArenaBytes - 1));
  CHECK_FALSE(window.contains(kUserStart + kMaxArenaBytes));
  CHECK_FALSE(window.contains(kUserStart - 1));
  CHECK_FALSE(ArenaWindow{}.contains(5));
  CHECK(window.is_aligned());
  CHECK_FALSE(ArenaWindow{kUserStart + 4096, kKernelStart, {}}.is_aligned());
}

TEST_CASE("a place in the arena is told by all 64 bits of an address") {
  const ArenaWindow window{kUserStart, kKernelStart, {}, 3 * kArenaPageBytes};
  CHECK(window.place_of(kUserStart + 8) == 8U);
  CHECK(window.place_of((kKernelStart + 8).value()) == 8U);
  CHECK(window.place_of(kUserStart + 3 * kArenaPageBytes - 1).has_value());
  CHECK_FALSE(window.place_of(0).has_value());
  CHECK_FALSE(window.place_of(8).has_value());
  CHECK_FALSE(window.place_of(0xffff'8880'0000'0008).has_value());
  CHECK_FALSE(window.place_of(kUserStart + kMaxArenaBytes + 8).has_value());
  CHECK_FALSE(window.place_of(kUserStart + 3 * kArenaPageBytes).has_value());
  CHECK_FALSE(window.place_of((kKernelStart + 3 * kArenaPageBytes).value()).has_value());
  CHECK_FALSE(ArenaWindow{}.place_of(0).has_value());
}

TEST_CASE("an arena that begins in the middle of 4 GB keeps its low 32 bits in both mappings") {
  const ArenaWindow window{kUserStart + 0x5000, kKernelStart, {}, 2 * kArenaPageBytes};
  CHECK(window.is_aligned());
  CHECK(window.place_of(kUserStart + 0x5008) == 0x5008U);
  CHECK(window.place_of((kKernelStart + 0x5008).value()) == 0x5008U);
  CHECK_FALSE(window.place_of(kUserStart + 0x4fff).has_value());
  CHECK_FALSE(window.place_of((kKernelStart + 8).value()).has_value());
}

TEST_CASE("the user and the kernel address of a byte read the same, others with its low bits nothing") {
  FakeArena arena;
  arena.put(0x1008, std::uint64_t{42});
  const auto read_address = [&](std::uint64_t address) {
    std::uint64_t value = 0;
    return arena.reader().read(address, std::as_writable_bytes(std::span(&value, 1))) ? value : 0;
  };
  CHECK(read_address(kUserStart + 0x1008) == 42);
  CHECK(read_address((kKernelStart + 0x1008).value()) == 42);
  CHECK(read_address(0x1008) == 0);
  CHECK(read_address(0xffff'8880'0000'1008) == 0);
}

TEST_CASE("a snapshot does not run into what is mapped behind the arena's 4 GB") {
  FakeArena arena(kUserStart + 0x5000);
  arena.put(0x5000, std::uint64_t{1});
  arena.put(kMaxArenaBytes + 0x1000, std::uint64_t{1});
  CHECK(snapshot_arena(arena.reader(), ~std::uint64_t{0}).pages.size() == 1);
}

TEST_CASE("a snapshot finds every page, however far apart") {
  FakeArena arena;
  const std::vector<std::uint64_t> offsets{0, 4096, 3U << 20, 1U << 30, kMaxArenaBytes - 4096};
  std::vector<std::uint64_t> expected;
  for (const std::uint64_t offset : offsets) {
    arena.put(offset + 8, offset);
    expected.push_back(FakeArena::user(offset));
  }
  const ArenaSnapshot snapshot = snapshot_arena(arena.reader(), std::uint64_t{1} << 20);
  CHECK(addresses(snapshot) == expected);
  CHECK(snapshot.pages[2].bytes[8 + 2] == 0x30);
  CHECK(snapshot.declared_pages == std::uint64_t{1} << 20);
  CHECK_FALSE(snapshot.truncated);
  CHECK_FALSE(snapshot.span_capped);
  CHECK(snapshot.kern_vm_start == kKernelStart.value());
}

TEST_CASE("a snapshot told where to look reads no other page tables") {
  struct CountingMemory : PhysicalMemory {
    explicit CountingMemory(const PhysicalMemory& memory) : counted_(memory) {}
    bool read(GuestPhys address, std::span<std::byte> out) const override {
      return ++reads, counted_.read(address, out);
    }
    GuestPhys end() const override { return counted_.end(); }
    mutable std::size_t reads = 0;

   private:
    const PhysicalMemory& counted_;
  };
  FakeArena arena;
  for (std::uint64_t table = 0; table < 64; ++table) arena.put(table * (2U << 20), table);
  arena.put(4096, std::uint64_t{7});
  const CountingMemory memory(arena.memory().memory());
  const Translator translator(memory, arena.memory().table());
  const ArenaReader reader(translator, arena.window());
  const auto all = snapshot_arena(reader, std::uint64_t{1} << 20);
  CHECK(all.pages.size() == 65);
  const std::size_t reads_of_all = std::exchange(memory.reads, 0);
  const std::vector<ArenaPageRange> within{{0, 2}, {512 * 63, 1}, {std::uint64_t{1} << 20, 1}};
  const auto some = snapshot_arena(reader, std::uint64_t{1} << 20, kMaxArenaPages, &within);
  CHECK(addresses(some) == std::vector<std::uint64_t>{FakeArena::user(0), FakeArena::user(4096),
                                                      FakeArena::user(63U * (2U << 20))});
  CHECK(memory.reads < 16);
  CHECK(reads_of_all > 128);
}

TEST_CASE("a snapshot ends at the map's size, at the cap, and never beyond 4 GB") {
  FakeArena arena;
  for (std::uint64_t page = 0; page < 10; ++page) arena.put(page * 4096, page);
  CHECK(snapshot_arena(arena.reader(), 3).pages.size() == 3);
  const ArenaSnapshot capped = snapshot_arena(arena.reader(), 10, 4);
  CHECK(capped.pages.size() == 4);
  CHECK(capped.truncated);
  const ArenaSnapshot wild = snapshot_arena(arena.reader(), ~std::uint64_t{0});
  CHECK(wild.span_capped);
  CHECK(wild.declared_pages == kMaxArenaBytes / kArenaPageBytes);
  CHECK(wild.pages.size() == 10);
}

TEST_CASE("a snapshot survives JSON") {
  FakeArena arena;
  arena.put(0, std::uint64_t{0x0102});
  const ArenaSnapshot snapshot = snapshot_arena(arena.reader(), 16);
  const auto back = from_json<ArenaSnapshot>(to_json(snapshot));
  REQUIRE(back.has_value());
  CHECK(back->pages.at(0).bytes == snapshot.pages.at(0).bytes);
  CHECK(back->user_vm_start == kUserStart);
}

TEST_CASE("mapped pages within a range only, and none where tables lie outside RAM") {
  FakeMemory memory;
  constexpr KernelVirt kBegin(0xffff'c900'0000'0000);
  for (const std::uint64_t page : {0, 1, 2, 700})
    memory.map(kBegin + page * 4096, memory.allocate(4096, 4096));
  memory.put(memory.entry(memory.table().root, kBegin + (4U << 20), 2U << 20),
             std::uint64_t{0x7fff'ffff'f003});
  std::vector<std::uint64_t> found;
  const auto note = [&](KernelVirt address, GuestPhys) {
    found.push_back((address - kBegin) / 4096);
    return found.size() < 3;
  };
  for_each_mapped_page(memory.memory(), memory.table(), kBegin + 4096, 700 * 4096, note);
  CHECK(found == std::vector<std::uint64_t>{1, 2, 700});
  found.clear();
  for_each_mapped_page(memory.memory(), memory.table(), kBegin + (3U << 20), 64U << 20, note);
  CHECK(found.empty());
  for_each_mapped_page(memory.memory(), memory.table(), KernelVirt(0x8000'0000'0000'0000), 4096, note);
  CHECK(found.empty());
}
