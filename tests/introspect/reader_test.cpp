#include "introspect/reader.h"

#include <doctest/doctest.h>

#include "tests/introspect/fake_btf.h"
#include "tests/introspect/fake_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

struct Statistics {
  std::uint64_t delay = 0;
  std::optional<std::uint32_t> yields;

  static consteval auto describe() {
    using T = Statistics;
    return record("", field<&T::delay>("").from("rq", {"info.delay"}, "CONFIG_INFO"),
                  field<&T::yields>("").from("rq", {"yields"}, "CONFIG_INFO"));
  }
};

struct Snapshot {
  std::uint32_t running = 0;
  std::optional<std::uint32_t> depth;
  std::optional<bool> busy;
  std::string name;
  std::optional<std::uint32_t> flag;
  std::optional<Statistics> statistics;
  std::optional<std::uint64_t> elsewhere;
  std::uint64_t ours = 7;

  static consteval auto describe() {
    using T = Snapshot;
    return record("", field<&T::running>("").from("rq", {"nr_running", "nr"}),
                  field<&T::depth>("").from("rq", {"dsq.nr"}), field<&T::busy>("").from("rq"),
                  field<&T::name>("").from("rq"), field<&T::flag>("").from("rq"), field<&T::statistics>(""),
                  field<&T::elsewhere>("").from("signal", {"value"}), field<&T::ours>(""));
  }
};

struct SnapshotLayout : Reader<Snapshot, "rq"> {
  Field<KernelVirt> curr{*this, {"curr"}};
};

constexpr KernelVirt kSnapshotBase(0xffff'8880'0000'0000);

struct Shape {
  const char* nr_name = "nr";
  std::uint32_t nr_bytes = 4, busy_bytes = 1, name_bytes = 8;
  bool depth = true, delay = true, yields = true;
};

/// struct rq { u64 curr; nr at 8; char name[8] at 16; busy at 24; u32 _:4, flag:3 at 32; dsq.nr at 40;
/// info.delay at 48; yields at 56 }
Btf rq_btf(const Shape& shape = {}) {
  FakeBtf btf;
  const int u8 = btf.integer("char", 1), u32 = btf.integer("unsigned int", 4),
            u64 = btf.integer("unsigned long", 8);
  const auto sized = [&](std::uint32_t bytes) { return bytes == 1 ? u8 : bytes == 4 ? u32 : u64; };
  std::vector<FakeBtf::Member> members{{"curr", btf.pointer(0), 0},
                                       {shape.nr_name, sized(shape.nr_bytes), 64},
                                       {"name", btf.array(u8, shape.name_bytes), 128},
                                       {"busy", sized(shape.busy_bytes), 192},
                                       {"flag", u32, 260, 3}};
  const int dsq = btf.structure("dsq", 4, {{"nr", u32, 0}});
  const int info = btf.structure("info", 8, {{"delay", u64, 0}});
  if (shape.depth) members.push_back({"dsq", dsq, 320});
  if (shape.delay) members.push_back({"info", info, 384});
  if (shape.yields) members.push_back({"yields", u32, 448});
  btf.structure("rq", 64, members);
  return btf.parsed();
}

/// A page with one rq at kSnapshotBase.
struct Guest {
  FakeMemory arena{1U << 20};
  GuestPhys page = arena.allocate(4096, 4096);

  Guest() {
    arena.map(kSnapshotBase, page);
    arena.put(page, KernelVirt(0xffff'8880'1234'0000));
    arena.put(page + 8, std::uint32_t{3});
    arena.put(page + 16, std::array<char, 8>{'c', 'p', 'u', '\xff', '\0', 'x', 'x', 'x'});
    arena.put(page + 24, std::uint32_t{0x100});
    arena.put(page + 32, std::uint32_t{0xffff'ff8f & ~0x70U} | 5U << 4);
    arena.put(page + 40, std::uint32_t{9});
    arena.put(page + 48, std::uint64_t{11});
    arena.put(page + 56, std::uint32_t{12});
  }

  Snapshot read(const SnapshotLayout& layout) {
    StructBytes bytes;
    REQUIRE(bytes.capture(arena.translator(), layout, kSnapshotBase));
    Snapshot snapshot;
    layout.fill(bytes, snapshot);
    return snapshot;
  }
};

}  // namespace

TEST_CASE("a record's members are read from where its description says") {
  Guest guest;
  SnapshotLayout layout;
  REQUIRE(layout.resolve(rq_btf({.busy_bytes = 4})));
  const auto snapshot = guest.read(layout);
  CHECK(snapshot.running == 3);
  CHECK(snapshot.depth == 9);
  CHECK(snapshot.busy == true);
  CHECK(snapshot.name == "cpu\uFFFD");
  CHECK(snapshot.flag == 5);
  REQUIRE(snapshot.statistics.has_value());
  CHECK(snapshot.statistics->delay == 11);
  CHECK(snapshot.statistics->yields == 12);
}

TEST_CASE("members of other structures, and of none, are left alone") {
  Guest guest;
  SnapshotLayout layout;
  REQUIRE(layout.resolve(rq_btf()));
  const auto snapshot = guest.read(layout);
  CHECK_FALSE(snapshot.elsewhere.has_value());
  CHECK(snapshot.ours == 7);
  CHECK_FALSE(layout.place<&Snapshot::elsewhere>().present());
}

TEST_CASE("a truth value is of whatever size the kernel gives it") {
  Guest guest;
  SnapshotLayout layout;
  REQUIRE(layout.resolve(rq_btf({.busy_bytes = 1})));
  CHECK(guest.read(layout).busy == false);
  REQUIRE(layout.resolve(rq_btf({.busy_bytes = 4})));
  CHECK(guest.read(layout).busy == true);
}

TEST_CASE("what is missing is absent; a record inside is there when all that it must have is") {
  Guest guest;
  SnapshotLayout layout;
  REQUIRE(layout.resolve(rq_btf({.depth = false, .yields = false})));
  CHECK_FALSE(guest.read(layout).depth.has_value());
  CHECK(guest.read(layout).statistics->delay == 11);
  CHECK_FALSE(guest.read(layout).statistics->yields.has_value());
  CHECK(layout.lacking("CONFIG_INFO") == "struct rq: no yields (CONFIG_INFO)");

  REQUIRE(layout.resolve(rq_btf({.delay = false})));
  CHECK_FALSE(guest.read(layout).statistics.has_value());
  CHECK(layout.lacking("CONFIG_INFO") == "struct rq: no info.delay (CONFIG_INFO)");
  CHECK(layout.lacking("CONFIG_OTHER").empty());
}

TEST_CASE("what must be there is named when it is missing or of another size") {
  SnapshotLayout layout;
  CHECK(layout.resolve(rq_btf({.nr_name = "count"})).error().message ==
        "struct rq: no member nr_running (tried nr_running, nr)");
  CHECK(layout.resolve(rq_btf({.nr_bytes = 8})).error().message ==
        "struct rq: member nr has 8 bytes, expected 4");
}

TEST_CASE("one member is read by itself, and the layout's own fields are captured with the others") {
  Guest guest;
  SnapshotLayout layout;
  REQUIRE(layout.resolve(rq_btf()));
  const auto translator = guest.arena.translator();
  CHECK(layout.read<&Snapshot::running>(translator, kSnapshotBase) == 3);
  CHECK(layout.read<&Statistics::delay>(translator, kSnapshotBase) == 11);
  CHECK(layout.read<&Snapshot::name>(translator, kSnapshotBase) == "cpu\uFFFD");
  CHECK_FALSE(layout.read<&Snapshot::elsewhere>(translator, kSnapshotBase).has_value());
  CHECK_FALSE(layout.read<&Snapshot::running>(translator, kSnapshotBase + 4096).has_value());
  StructBytes bytes;
  REQUIRE(bytes.capture(translator, layout, kSnapshotBase));
  CHECK(layout.curr.read(bytes) == KernelVirt(0xffff'8880'1234'0000));
}

TEST_CASE("a text without bytes is empty, whatever the kernel's types say") {
  Guest guest;
  SnapshotLayout layout;
  REQUIRE(layout.resolve(rq_btf({.name_bytes = 0})));
  CHECK(guest.read(layout).name.empty());
  CHECK(layout.read<&Snapshot::name>(guest.arena.translator(), kSnapshotBase) == "");
}

TEST_CASE("a copy of a reader is as good, whatever becomes of the first") {
  Guest guest;
  std::optional<SnapshotLayout> first(std::in_place);
  REQUIRE(first->resolve(rq_btf()));
  const SnapshotLayout second = *first;
  first.reset();
  CHECK(guest.read(second).statistics->yields == 12);
}
