#include "introspect/arena/sdt_alloc.h"

#include <doctest/doctest.h>

#include <random>

#include "engine/base/read.h"
#include "introspect/arena/guest_context.h"
#include "introspect/arena/program_types.h"
#include "introspect/arena/sdt_walk.h"
#include "introspect/render/render.h"
#include "tests/introspect/arena/sdt_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

std::string reason_for(const ArenaReader* arena, const ProgramSection& bss) {
  return find_sdt_allocations(arena, bss).unavailable.value_or("");
}

}  // namespace

TEST_CASE("live allocations are found in the tree and shown by their type") {
  SdtGuest guest;
  guest.allocate(0, 100), guest.allocate(5, 500), guest.allocate(130, 900);
  CHECK_FALSE(guest.find().unavailable.has_value());
  const auto snapshots = guest.read();
  REQUIRE(snapshots.size() == 1);
  const SdtAllocatorSnapshot& snapshot = snapshots[0];
  CHECK(snapshot.allocator_name == "scx_task_allocator");
  CHECK(snapshot.elem_size == 24);
  CHECK(snapshot.target_type_id == static_cast<std::uint32_t>(guest.task_ctx));
  CHECK(snapshot.skipped_subtrees == 0);
  REQUIRE(snapshot.entries.size() == 3);
  CHECK(snapshot.entries[1].idx == 5);
  CHECK(snapshot.entries[1].genn == 3);
  CHECK(snapshot.entries[1].user_addr == SdtGuest::kSlots + 5 * 24);
  CHECK(snapshot.entries[2].payload.get("weight")->as_u64() == 900);
}

TEST_CASE("a freed slot whose pointer is kept is no allocation") {
  SdtGuest guest;
  guest.allocate(0, 100), guest.allocate(1, 200), guest.allocate(2, 300);
  guest.arena.put(SdtGuest::kLeaf, std::uint64_t{0b101});
  const SdtAllocatorSnapshot snapshot = guest.read().at(0);
  REQUIRE(snapshot.entries.size() == 2);
  CHECK(snapshot.entries[0].payload.get("weight")->as_u64() == 100);
  CHECK(snapshot.entries[1].payload.get("weight")->as_u64() == 300);
  CHECK_FALSE(guest.find().slots.find(SdtGuest::kSlots + SdtGuest::kElemSize).has_value());
}

TEST_CASE("pointers of the tree that only look like the arena's are skipped and counted") {
  constexpr std::uint64_t kElsewhere = 0xffff'8880'0000'0000;
  SdtGuest guest;
  guest.allocate(0, 100), guest.allocate(1, 200);
  guest.arena.put(SdtGuest::kLeafChunk + 8, kElsewhere + SdtGuest::kSlots + SdtGuest::kElemSize);
  guest.arena.put(SdtGuest::kRootChunk + 8, kElsewhere + SdtGuest::kMiddle);
  const SdtAllocatorSnapshot snapshot = guest.read().at(0);
  CHECK(snapshot.entries.size() == 1);
  CHECK(snapshot.skipped_subtrees == 2);
}

TEST_CASE("NULL and pointers elsewhere show no allocation that shares their low 32 bits") {
  SdtGuest guest;
  guest.allocate(0, 100);
  const SdtAllocations found = guest.find();
  const ArenaReader reader = guest.arena.reader();
  const GuestContext context({.arena = &reader, .slots = &found.slots, .rendered = &found.rendered});
  const std::uint64_t slot = SdtGuest::slot(0);
  CHECK(context.object_at(slot).has_value());
  CHECK(context.object_at((kKernelStart + SdtGuest::kSlots).value()).has_value());
  for (const std::uint64_t other : {std::uint64_t{0}, SdtGuest::kSlots, slot + kMaxArenaBytes,
                                    0xffff'8880'0000'0000 + SdtGuest::kSlots}) {
    CHECK_FALSE(context.object_at(other).has_value());
    CHECK_FALSE(context.is_already_rendered(other));
  }
}

TEST_CASE("a bump allocator whose region is outside the arena is skipped") {
  SdtGuest guest;
  const ProgramSection bss = guest.bss();
  const ArenaWindow window = guest.arena.reader().window();
  guest.set_bss(80, 0x8000), guest.set_bss(88, FakeArena::user(0x20000)), guest.set_bss(96, 0x100);
  CHECK(read_scx_static(*bss.btf, bss.type, guest.bss_bytes, &window).ranges.size() == 1);
  guest.set_bss(88, 0xffff'8880'0002'0000);
  CHECK(read_scx_static(*bss.btf, bss.type, guest.bss_bytes, &window).skipped == 1);
}

TEST_CASE("nodes that the program merely declares are as the library defines them") {
  SdtGuest guest(true);
  guest.allocate(7, 70);
  CHECK(guest.read().at(0).entries.at(0).payload.get("weight")->as_u64() == 70);
}

TEST_CASE("the snapshot of an allocator survives JSON") {
  SdtGuest guest;
  guest.allocate(1, 7);
  const SdtAllocatorSnapshot snapshot = guest.read().at(0);
  const auto back = from_json<SdtAllocatorSnapshot>(to_json(snapshot));
  REQUIRE(back.has_value());
  CHECK(back->entries.at(0).payload == snapshot.entries.at(0).payload);
}

TEST_CASE("an empty tree is no error, a section without allocators is told") {
  SdtGuest guest;
  CHECK(guest.read().at(0).entries.empty());
  guest.set_bss(8, 0), guest.set_bss(32, 0);
  CHECK(guest.find().unavailable == "no scx_allocator instance in .bss");
}

TEST_CASE("why nothing was walked") {
  SdtGuest guest;
  const ArenaReader reader = guest.arena.reader();
  CHECK(reason_for(nullptr, guest.bss()) == "no arena map captured (kern_vm_start unavailable)");
  CHECK(reason_for(&reader, {}) == "no scheduler .bss map (or .bss has no program BTF)");
  const FakeArena crooked(kUserStart + 4096);
  const ArenaReader crooked_reader = crooked.reader();
  CHECK(reason_for(&crooked_reader, guest.bss()) ==
        "user_vm_start is not 4 GiB-aligned; low-32 keying disabled");
  MadeBtf other;
  const auto btf = std::make_shared<const Btf>((other.u32(), other.parse()));
  CHECK(reason_for(&reader, {btf, id(1), guest.bss_bytes}) ==
        "scheduler BTF does not declare struct scx_allocator");
}

TEST_CASE("damaged parts of the tree are skipped and counted") {
  SdtGuest guest;
  guest.allocate(0, 100);
  guest.arena.put(SdtGuest::kRootChunk + 8, FakeArena::user(0x900000));            // unmapped
  guest.arena.put(SdtGuest::kRootChunk + 16, FakeArena::user(SdtGuest::kRoot));    // a cycle
  guest.arena.put(SdtGuest::kRootChunk + 24, FakeArena::user(SdtGuest::kMiddle));  // a second way to one node
  guest.node(0x1300, SdtGuest::kLeafChunk, 513);                                   // more free than there are
  guest.arena.put(SdtGuest::kRootChunk + 32, FakeArena::user(0x1300));
  guest.arena.put(SdtGuest::kLeaf + 8, std::uint64_t{1});  // in use, without a pointer
  const SdtAllocatorSnapshot snapshot = guest.read().at(0);
  CHECK(snapshot.entries.size() == 1);
  CHECK(snapshot.skipped_subtrees == 5);
}

TEST_CASE("a slot that can't be read is shown as such") {
  SdtGuest guest;
  guest.allocate(0, 100);
  guest.arena.put(SdtGuest::kLeafChunk, FakeArena::user(0x900000));
  const SdtAllocEntry entry = guest.read().at(0).entries.at(0);
  CHECK(entry.payload.get_if<RenderedUnsupported>()->reason == "the slot can't be read");
}

TEST_CASE("without a type a payload is shown as bytes, with the reason") {
  SdtGuest guest;
  guest.set_bss(8, 20);
  guest.allocate(0, 0x0102);
  const SdtAllocatorSnapshot snapshot = guest.read().at(0);
  CHECK(snapshot.target_type_id == 0);
  CHECK(snapshot.payload_type_reason == "no candidate of size 12");
  CHECK(snapshot.entries.at(0).payload ==
        RenderedValue{RenderedBytes{"02 01 00 00 00 00 00 00 00 00 00 00"}});
}

TEST_CASE("a slot size no slot can have costs no memory") {
  SdtGuest guest;
  guest.set_bss(8, ~std::uint64_t{0});
  guest.allocate(0, 1);
  CHECK(guest.read().at(0).entries.at(0).payload.get_if<RenderedUnsupported>() != nullptr);
  guest.set_bss(8, 4);
  CHECK(guest.read().at(0).payload_type_reason == "payload_size == 0");
}

TEST_CASE("of several types of the right size a name decides, or none") {
  MadeBtf types;
  const int u64 = types.u64();
  const auto add = [&](const char* name) { return types.structure(name, 8, {{"x", u64, 0}}); };
  add("one");
  CHECK(find_payload_type(types.parse(), 8, "any").reason.empty());
  add("two");
  CHECK(find_payload_type(types.parse(), 8, "any").reason == "ambiguous: 2 candidates");
  const int convention = add("my_ctx");
  CHECK(find_payload_type(types.parse(), 8, "any").type == id(convention));
  const int named = add("atq");
  CHECK(find_payload_type(types.parse(), 8, "scx_atq_allocator").type == id(named));
  add("other_ctx");
  CHECK(find_payload_type(types.parse(), 8, "any").type == id(0));
  const int exact = add("task_ctx");
  CHECK(find_payload_type(types.parse(), 8, "any").type == id(exact));
}

TEST_CASE("a map's values find their allocator by name") {
  const auto named = [](const char* name, int payload) {
    return SdtAllocator{name, {nullptr, id(payload), 24, 8}, "", {}};
  };
  std::vector<SdtAllocator> allocators{named("scx_task_allocator", 1), named("scx_bytes_allocator", 0)};
  CHECK(allocator_for_map(allocators, "whatever") == &allocators[0]);
  allocators.push_back(named("scx_cgrp_allocator", 2));
  CHECK(allocator_for_map(allocators, "scx_cgrp_map") == &allocators[2]);
  CHECK(allocator_for_map(allocators, "scx_bytes_map") == nullptr);
  CHECK(allocator_for_map(allocators, "whatever") == nullptr);
  CHECK(allocator_for_map({}, "x") == nullptr);
}

TEST_CASE("the index knows slots by their start and their payload's, nothing else") {
  MadeBtf types;
  types.u32();
  const auto btf = std::make_shared<const Btf>(types.parse());
  ArenaSlotIndex index;
  index.add({btf, id(1), 24, 8}, std::array<ArenaPlace, 2>{0x100, 0x118});
  CHECK(index.size() == 2);
  CHECK(index.find(0x118)->header_bytes == 8);
  CHECK(index.find(0x108)->header_bytes == 0);
  CHECK(index.find(0x108)->type.btf == btf.get());
  CHECK_FALSE(index.find(0x110).has_value());
  CHECK_FALSE(index.find(0xff).has_value());
  index.add({btf, id(0), 24, 8}, std::array<ArenaPlace, 1>{0x200});
  CHECK(index.size() == 2);
}

TEST_CASE("a pointer to an allocation shows its payload, or that it is shown already") {
  SdtGuest guest;
  guest.allocate(0, 100, SdtGuest::slot(1));
  guest.allocate(1, 200);
  const SdtAllocations found = guest.find();
  const ArenaReader reader = guest.arena.reader();
  const ProgramSection bss = guest.bss();
  const auto bytes = bytes_of(std::uint64_t{1}, SdtGuest::slot(0));
  const GuestContext chasing({.arena = &reader, .slots = &found.slots});
  const RenderedValue value = render_value(*bss.btf, id(guest.task_ctx), bytes, chasing);
  CHECK(value.get("peer.weight")->as_u64() == 100);
  CHECK(value.get("peer.peer.weight")->as_u64() == 200);
  const GuestContext once({.arena = &reader, .slots = &found.slots, .rendered = &found.rendered});
  const RenderedValue short_value = render_value(*bss.btf, id(guest.task_ctx), bytes, once);
  CHECK(short_value.get("peer")->get_if<RenderedPtr>()->target->deref_skipped_reason ==
        "already rendered in sdt_allocations");
}

TEST_CASE("the bump allocator's range, and why one is skipped") {
  SdtGuest guest;
  const ProgramSection bss = guest.bss();
  CHECK(read_scx_static(*bss.btf, bss.type, guest.bss_bytes, nullptr).skipped == 1);
  guest.set_bss(80, 0x8000), guest.set_bss(88, FakeArena::user(0x20000)), guest.set_bss(96, 0x100);
  const ScxStaticSnapshot snapshot = read_scx_static(*bss.btf, bss.type, guest.bss_bytes, nullptr);
  REQUIRE(snapshot.ranges.size() == 1);
  CHECK(snapshot.ranges[0].start_low32 == 0x20000);
  CHECK(snapshot.ranges[0].size == 0x100);
  CHECK(snapshot.ranges[0].capacity == 0x8000);
  CHECK(is_scx_static_place(snapshot, 0x200ff));
  CHECK_FALSE(is_scx_static_place(snapshot, 0x20100));
  CHECK_FALSE(is_scx_static_place(snapshot, 0x1ffff));
  guest.set_bss(96, 0x8001);
  CHECK(read_scx_static(*bss.btf, bss.type, guest.bss_bytes, nullptr).skipped == 1);
  guest.set_bss(80, kMaxArenaBytes);
  CHECK(read_scx_static(*bss.btf, bss.type, guest.bss_bytes, nullptr).skipped == 1);
}

TEST_CASE("random damage to the arena and .bss stays within bounds") {
  std::mt19937_64 random(11);
  std::size_t entries = 0;
  for (int round = 0; round < 200; ++round) {
    SdtGuest guest;
    for (std::uint64_t i = 0; i < 60; ++i) guest.allocate(i, i);
    for (int i = 0; i < 20; ++i)
      guest.arena.put(0x1000 + random() % 0x4000 / 8 * 8,
                      random() % 3 == 0 ? random() : FakeArena::user(random() % 0x6000));
    guest.bss_bytes[random() % 80] = static_cast<std::byte>(random());
    for (const SdtAllocatorSnapshot& snapshot : guest.read()) {
      entries += snapshot.entries.size();
      CHECK(snapshot.entries.size() <= kMaxSdtAllocEntries);
    }
  }
  CHECK(entries > 5000);
}
