#include <doctest/doctest.h>

#include "engine/base/read.h"
#include "introspect/arena/arena_snapshot.h"
#include "introspect/arena/arena_window.h"
#include "introspect/arena/mapped_pages.h"
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

TEST_CASE("pages never allocated, and what lies beyond 4 GB, can't be read") {
  FakeArena arena;
  arena.put(0, std::uint64_t{1});
  arena.put(kMaxArenaBytes - 4096, std::uint64_t{1});
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
