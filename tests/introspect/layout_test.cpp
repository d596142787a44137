#include "introspect/layout.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>

#include "tests/introspect/fake_btf.h"
#include "tests/introspect/fake_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

struct RqLayout : LayoutOf<"rq"> {
  Field<std::uint32_t> nr_running{*this, {"nr_running", "nr"}};
  Field<KernelVirt> curr{*this, {"curr"}};
  Field<std::array<char, 8>> name{*this, {"name"}};
  Field<std::uint32_t> flag{*this, {"flag"}};
  OptionalField<std::uint64_t> run_delay{*this, {"sched_info.run_delay"}};
  Embedded cfs{*this, {"cfs"}};
  OptionalEmbedded scx{*this, {"scx"}};
};

constexpr KernelVirt kBase(0xffff'8880'0000'0000);
constexpr std::uint64_t kNrRunning = 8, kName = 24, kFlags = 32, kCfs = 40;

/// struct rq { u64 lock; u32 nr; <curr at 16>; char name[8]; u32 _:4, flag:3; cfs at 40 }; `with_delay` adds
/// sched_info at 56.
Btf rq_btf(const char* nr_name, bool with_delay = false) {
  FakeBtf btf;
  const int u8 = btf.integer("char", 1), u32 = btf.integer("unsigned int", 4),
            u64 = btf.integer("unsigned long", 8);
  const int cfs = btf.structure("cfs_rq", 16, {{"load", u64, 0}});
  std::vector<FakeBtf::Member> members{{"lock", u64, 0},
                                       {nr_name, u32, 64},
                                       {"curr", btf.pointer(0), 128},
                                       {"name", btf.array(u8, 8), 192},
                                       {"flag", u32, 260, 3},
                                       {"cfs", cfs, 320}};
  const int info = btf.structure("sched_info", 8, {{"run_delay", u64, 0}});
  if (with_delay) members.push_back({"sched_info", info, 448});
  btf.structure("rq", 64, members);
  return btf.parsed();
}

/// A page with one rq at kBase: nr_running 3, name "cpu0", flag 5.
struct RqGuest {
  FakeMemory arena{1U << 20};
  GuestPhys page = arena.allocate(4096, 4096);

  RqGuest() {
    arena.map(kBase, page);
    arena.put(page + kNrRunning, std::uint32_t{3});
    arena.put(page + kName, std::array<char, 8>{'c', 'p', 'u', '0'});
    arena.put(page + kFlags, std::uint32_t{0xffff'ff8f & ~0x70U} | 5U << 4);
  }
};

}  // namespace

TEST_CASE("fields are placed by BTF, the structure's size included") {
  RqLayout layout;
  REQUIRE(layout.resolve(rq_btf("nr_running", true)));
  CHECK(layout.is_resolved());
  CHECK(layout.size() == 64);
  CHECK(layout.nr_running.offset() == kNrRunning);
  CHECK(layout.cfs.address(kBase) == kBase + kCfs);
  CHECK(layout.cfs.size() == 16);
  CHECK(layout.run_delay.offset() == 56);
  CHECK(layout.fields_begin() == kNrRunning);
  CHECK(layout.fields_end() == 64);
}

TEST_CASE("an older name of a field is found, and what a kernel lacks is absent with a reason") {
  RqLayout layout;
  REQUIRE(layout.resolve(rq_btf("nr")));
  CHECK(layout.nr_running.offset() == kNrRunning);
  CHECK_FALSE(layout.run_delay.present());
  CHECK_FALSE(layout.scx.present());
  CHECK(layout.absences() ==
        std::vector<std::string>{"no member sched_info.run_delay (tried sched_info.run_delay)",
                                 "no member scx (tried scx)"});
}

TEST_CASE("resolving again gives the same, and from another kernel its own") {
  RqLayout layout;
  REQUIRE(layout.resolve(rq_btf("nr", true)));
  REQUIRE(layout.resolve(rq_btf("nr", true)));
  CHECK(layout.run_delay.present());
  CHECK(layout.absences().size() == 1);
  REQUIRE(layout.resolve(rq_btf("nr", false)));
  CHECK_FALSE(layout.run_delay.present());
  CHECK(layout.absences().size() == 2);
}

TEST_CASE("one error names everything that is missing or of another size, and leaves nothing resolved") {
  struct Wrong : LayoutOf<"rq"> {
    Field<std::uint32_t> nr{*this, {"nr_running", "nr_runnable"}};
    Field<std::uint32_t> lock{*this, {"lock"}};
    Field<KernelVirt> curr{*this, {"curr"}};
  } layout;
  const auto status = layout.resolve(rq_btf("nr"));
  REQUIRE_FALSE(status.has_value());
  CHECK(
      status.error().message ==
      "struct rq: no member nr_running (tried nr_running, nr_runnable); member lock has 8 bytes, expected 4");
  CHECK_FALSE(layout.is_resolved());
  CHECK_FALSE(layout.curr.present());
}

TEST_CASE("a missing structure turns its layout off with the reason") {
  struct Absent : StructLayout {
    Absent() : StructLayout({"scx_sched", "scx_root"}) {}
  };
  const auto layout = resolve_layout<Absent>(rq_btf("nr"));
  REQUIRE_FALSE(layout.has_value());
  CHECK(layout.error().message == "no struct scx_sched or scx_root in the kernel's BTF");
  Absent again;
  RqLayout rq;
  CHECK(resolve_all(rq_btf("other"), {&again, &rq}).error().message ==
        "no struct scx_sched or scx_root in the kernel's BTF; struct rq: no member nr_running (tried "
        "nr_running, nr)");
}

TEST_CASE("a member that reaches past its structure is refused") {
  FakeBtf btf;
  btf.structure("tiny", 8, {{"inside", btf.integer("unsigned int", 4), 0}, {"outside", 1, 48}});
  struct Tiny : LayoutOf<"tiny"> {
    Field<std::uint32_t> inside{*this, {"inside"}};
    OptionalField<std::uint32_t> outside{*this, {"outside"}};
  } layout;
  REQUIRE(layout.resolve(btf.parsed()));
  CHECK_FALSE(layout.outside.present());
  CHECK(layout.absences() == std::vector<std::string>{"member outside lies outside the structure"});
}

TEST_CASE("copies of a layout are independent of the original") {
  auto original = std::make_unique<RqLayout>();
  RqLayout before(*original);
  REQUIRE(original->resolve(rq_btf("nr")));
  RqLayout after(*original);
  original.reset();
  CHECK(after.nr_running.offset() == kNrRunning);
  CHECK_FALSE(before.nr_running.present());
  REQUIRE(before.resolve(rq_btf("nr_running", true)));
  CHECK(before.run_delay.present());
  CHECK_FALSE(after.run_delay.present());
  before = after;
  CHECK_FALSE(before.run_delay.present());
}

TEST_CASE("values are read one by one and out of one capture, bitfields cut out") {
  RqGuest guest;
  RqLayout layout;
  REQUIRE(layout.resolve(rq_btf("nr_running", true)));
  const Translator memory = guest.arena.translator();
  CHECK(layout.nr_running.read(memory, kBase) == 3);
  CHECK(layout.flag.read(memory, kBase) == 5);
  StructBytes bytes;
  REQUIRE(bytes.capture(memory, layout, kBase));
  CHECK(layout.nr_running.read(bytes) == 3);
  CHECK(layout.flag.read(bytes) == 5);
  CHECK(layout.name.read(bytes) == std::array<char, 8>{'c', 'p', 'u', '0'});
  CHECK(layout.curr.read(bytes) == KernelVirt(0));
  CHECK(layout.run_delay.read(bytes) == 0);
}

TEST_CASE("what can't be read, or is not there, gives nothing instead of zero") {
  RqGuest guest;
  RqLayout layout;
  REQUIRE(layout.resolve(rq_btf("nr")));
  const Translator memory = guest.arena.translator();
  CHECK_FALSE(layout.run_delay.read(memory, kBase).has_value());
  CHECK_FALSE(layout.nr_running.read(memory, kBase + 4096).has_value());
  StructBytes bytes;
  CHECK_FALSE(bytes.capture(memory, layout, kBase + 4096 - 20));
  REQUIRE(bytes.capture(memory, layout, kBase));
  RqLayout larger;
  REQUIRE(larger.resolve(rq_btf("nr", true)));
  CHECK_FALSE(larger.run_delay.read(bytes).has_value());
}
