#include "introspect/scx/exit_reader.h"

#include <doctest/doctest.h>

#include <array>

#include "introspect/translator.h"
#include "tests/introspect/scx/scx_guest.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint32_t kStall = 1026;

std::optional<ScxExitKind> exit_kind_of(const ScxGuest& guest) {
  const Kernel kernel = guest.attach();
  return ScxExitReader::create(kernel).value().read_exit_kind(kernel).value();
}

std::vector<ScxExitRecord> ended_in(const ScxGuest& guest) {
  const Kernel kernel = guest.attach();
  return ScxExitReader::create(kernel).value().ended(kernel);
}

/// The guest's memory; once the exit information has been read, the scheduler is gone.
class VanishingScheduler final : public PhysicalMemory {
 public:
  VanishingScheduler(ScxGuest& guest, KernelVirt info)
      : guest_(guest), info_(guest.attach().translator().translate(info)->address) {}

  bool read(GuestPhys address, std::span<std::byte> out) const override {
    if (!guest_.memory().read(address, out)) return false;
    if (info_ >= address && info_ < address + out.size())
      guest_.write(guest_.symbol("scx_root"), std::uint64_t{0});
    return true;
  }
  GuestPhys end() const override { return guest_.memory().end(); }

 private:
  ScxGuest& guest_;
  GuestPhys info_;
};

}  // namespace

TEST_CASE("no scheduler has no exit kind, and a running one has 0") {
  ScxGuest guest;
  CHECK_FALSE(exit_kind_of(guest).has_value());
  guest.load_scheduler();
  CHECK(exit_kind_of(guest)->kind == 0);
  CHECK(ended_in(guest).empty());
}

TEST_CASE("an exit kind is the scheduler's until the kernel is done with it, then the exit information's") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  guest.set(sched, "scx_sched", "exit_kind.counter", std::int32_t{kStall});
  CHECK(exit_kind_of(guest)->kind == kStall);
  guest.set(sched, "scx_sched", "exit_kind.counter", std::int32_t{1});
  guest.set_exit(sched, kStall, "stalled");
  CHECK(exit_kind_of(guest)->kind == kStall);
  CHECK(exit_kind_of(guest)->sched == sched);
}

TEST_CASE("errors are told from orderly exits") {
  const ScxGuest guest;
  const auto reader = ScxExitReader::create(guest.attach()).value();
  CHECK(reader.is_error(1024));
  CHECK(reader.is_error(kStall));
  CHECK_FALSE(reader.is_error(64));
  CHECK_FALSE(reader.is_error(0));
}

TEST_CASE("a record holds all that the kernel kept") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  const KernelVirt info = guest.set_exit(sched, kStall, "worker[42] failed to run for 2.6s");
  guest.set(info, "scx_exit_info", "exit_code", std::int64_t{-5});
  guest.set(info, "scx_exit_info", "exit_cpu", std::int32_t{1});
  guest.set(info, "scx_exit_info", "reason", guest.add_string("runnable task stall"));
  guest.set(info, "scx_exit_info", "dump", guest.add_string("CPU states\n"));
  const KernelVirt backtrace = guest.allocate(64);
  guest.write(backtrace, std::array{guest.symbol("schedule") + 0x1c, KernelVirt(0xffff'ffff'c000'0000)});
  guest.set(info, "scx_exit_info", "bt", backtrace);
  guest.set(info, "scx_exit_info", "bt_len", std::uint32_t{2});
  guest.set(sched, "scx_sched", "exit_kind.counter", std::int32_t{1});
  const auto records = ended_in(guest);
  REQUIRE(records.size() == 1);
  const ScxExitRecord& record = records[0];
  CHECK(record.kind == kStall);
  CHECK(record.kind_name == "SCX_EXIT_ERROR_STALL");
  CHECK(record.exit_code == -5);
  CHECK(record.exit_cpu == 1);
  CHECK(record.reason == "runnable task stall");
  CHECK(record.msg == "worker[42] failed to run for 2.6s");
  CHECK(record.dump == "CPU states\n");
  CHECK_FALSE(record.dump_truncated);
  REQUIRE(record.backtrace.size() == 2);
  CHECK(record.backtrace[0].symbol == "schedule+0x1c");
  CHECK_FALSE(record.backtrace[1].symbol.has_value());
  CHECK(record.settled);
  CHECK(record.ops_name == "test");
  CHECK(record.source == "scx_root");
}

TEST_CASE("a scheduler that is no longer the root is found through its struct_ops map") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  guest.set_exit(sched, kStall, "stalled");
  guest.add_struct_ops_map(sched);
  guest.write(guest.symbol("scx_root"), std::uint64_t{0});
  const auto records = ended_in(guest);
  REQUIRE(records.size() == 1);
  CHECK(records[0].source == "struct_ops");
  CHECK(records[0].msg == "stalled");
  CHECK_FALSE(records[0].settled);
}

TEST_CASE("a scheduler that is the root and has a map comes once, and maps of other kinds lead nowhere") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  guest.set_exit(sched, kStall, "stalled");
  SUBCASE("the root's own map") {
    guest.add_struct_ops_map(sched);
    CHECK(ended_in(guest).size() == 1);
  }
  SUBCASE("a map of congestion control") {
    guest.write(guest.symbol("scx_root"), std::uint64_t{0});
    guest.add_struct_ops_map(sched, "tcp_congestion_ops");
    CHECK(ended_in(guest).empty());
  }
}

TEST_CASE("the root scheduler's struct_ops map is the one that refers to it") {
  ScxGuest guest;
  const auto root_map = [&] {
    const Kernel kernel = guest.attach();
    return ScxExitReader::create(kernel).value().root_map(kernel);
  };
  CHECK_FALSE(root_map().has_value());
  const KernelVirt sched = guest.load_scheduler();
  CHECK_FALSE(root_map().has_value());
  guest.add_struct_ops_map(sched);
  REQUIRE(root_map().has_value());
  const KernelVirt map = *root_map();
  guest.write(guest.symbol("scx_root"), guest.allocate(64));
  CHECK_FALSE(root_map().has_value());
  guest.write(guest.symbol("scx_root"), sched);
  CHECK(root_map() == map);
}

TEST_CASE("texts and backtraces without an end are cut, and those in unmapped memory are absent") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  const KernelVirt info = guest.set_exit(sched, kStall, "");
  const KernelVirt endless = guest.allocate(2U << 20);
  std::memset(guest.at(endless), 'x', 2U << 20);
  guest.set(info, "scx_exit_info", "dump", endless);
  guest.set(info, "scx_exit_info", "reason", KernelVirt(0xffff'c900'0000'0000));
  guest.set(info, "scx_exit_info", "bt", endless);
  guest.set(info, "scx_exit_info", "bt_len", std::uint32_t{0xffff'ffff});
  const auto records = ended_in(guest);
  REQUIRE(records.size() == 1);
  CHECK(records[0].dump->size() == 1U << 20);
  CHECK(records[0].dump_truncated);
  CHECK_FALSE(records[0].reason.has_value());
  CHECK_FALSE(records[0].msg.has_value());
  CHECK(records[0].backtrace.size() == 64);
}

TEST_CASE("a scheduler without exit information is an error, not a record of zeros") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  guest.set(sched, "scx_sched", "exit_info", KernelVirt(8));
  const Kernel kernel = guest.attach();
  const auto record = ScxExitReader::create(kernel).value().read_record(kernel, {sched, true});
  REQUIRE_FALSE(record.has_value());
  CHECK(record.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("what was read of a scheduler that went meanwhile is not given") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  const KernelVirt info = guest.set_exit(sched, kStall, "stalled");
  guest.set(sched, "scx_sched", "exit_kind.counter", std::int32_t{1});
  const VanishingScheduler memory(guest, info);
  const Kernel kernel = guest.attach(memory);
  const auto reader = ScxExitReader::create(kernel).value();
  SUBCASE("a record") {
    CHECK(reader.ended(kernel).empty());
  }
  SUBCASE("an exit kind") {
    const auto kind = reader.read_exit_kind(kernel);
    REQUIRE_FALSE(kind.has_value());
    CHECK(kind.error().code == ErrorCode::kUnavailable);
  }
}

}  // namespace ktstr::introspect::test
