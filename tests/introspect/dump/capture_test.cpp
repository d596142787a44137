// A dump in two steps: what happens to the guest between them is not in the report.
#include <doctest/doctest.h>

#include <algorithm>
#include <new>

#include "introspect/bpf/map_list.h"
#include "introspect/dump/dump.h"
#include "introspect/dump/dump_state.h"
#include "tests/introspect/bpf/bpf_guest.h"
#include "tests/introspect/render/made_btf.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint64_t kUserStart = std::uint64_t{1} << 44;
constexpr std::uint64_t kArenaBytes = 16U << 10;
constexpr std::uint64_t kGuardBytes = 32U << 10;
constexpr std::uint64_t kRows = 2;

/// struct node { u64 weight; struct node __arena *next; }; struct row { u64 count; struct bpf_cpumask *mask;
/// struct node __arena *list; };
struct ProgramTypes {
  MadeBtf made;
  int u64 = made.u64();
  int mask = made.structure("bpf_cpumask", 8, {{"bits", made.array(u64, 1), 0}});
  int mask_pointer = made.pointer(mask);
  int node_pointer = made.pointer(mask_pointer + 2);
  int node = made.structure("node", 16, {{"weight", u64, 0}, {"next", node_pointer, 64}});
  int row =
      made.structure("row", 24, {{"count", u64, 0}, {"mask", mask_pointer, 64}, {"list", node_pointer, 128}});
};

/// A scheduler's map of rows, an array and a hash of them; masks in kernel memory, and an arena with a list
/// of two nodes.
class RowGuest : public BpfGuest {
 public:
  RowGuest() {
    add_arena();
    btf_ = add_btf(types_.made.bytes());
    rows_ = add_map("bpf_array", {"rows", map_type::kArray, 4, 24, kRows}, kRows * 24);
    set(rows_, "bpf_array", "elem_size", std::uint32_t{24});
    set(rows_, "bpf_array", "index_mask", std::uint32_t{kRows - 1});
    hash_ = add_hash({"hash", map_type::kHash, 4, 8, 4});
    declare(rows_, types_.row);
    declare(hash_, types_.mask_pointer);
    for (std::uint64_t i = 0; i < kRows; ++i) {
      masks_[i] = memory().allocate(8);
      memory().write(masks_[i], std::uint64_t{1} << i);
      put_row(i, i + 10, masks_[i].value(), node(i));
    }
    memory().write(arena(0), std::pair(std::uint64_t{100}, node(1)));
    memory().write(arena(4096), std::pair(std::uint64_t{200}, std::uint64_t{0}));
    add_element(hash_, 7, 1, masks_[1].value());
  }

  /// Everything that the maps hold and lead to, and the maps themselves.
  void overwrite() {
    for (std::uint64_t i = 0; i < kRows; ++i) {
      put_row(i, 0xdead, 0, 0);
      memory().write(masks_[i], ~std::uint64_t{0});
    }
    std::fill_n(memory().at(arena(0)), kArenaBytes, std::byte{0xff});
    std::fill_n(memory().at(btf_), 64, std::byte{0xff});
    std::fill_n(memory().at(hash_), 64, std::byte{0xff});
    std::fill_n(memory().at(memory().symbol("map_idr")), 16, std::byte{});
  }

 private:
  [[nodiscard]] static std::uint64_t node(std::uint64_t i) { return kUserStart + i * 4096; }
  [[nodiscard]] KernelVirt arena(std::uint64_t offset) const { return arena_ + offset; }

  void put_row(std::uint64_t i, std::uint64_t count, std::uint64_t mask, std::uint64_t list) {
    const KernelVirt row = place(rows_, "bpf_array", "value") + i * 24;
    memory().write(row, count), memory().write(row + 8, mask), memory().write(row + 16, list);
  }

  /// Its pages are a part of the direct map.
  void add_arena() {
    const auto room = memory().allocate(kGuardBytes + kArenaBytes + 4096).value();
    const KernelVirt mapping((room + 4095) & ~std::uint64_t{4095});
    arena_ = mapping + kGuardBytes;
    const KernelVirt area = memory().allocate(64);
    set(area, "vm_struct", "addr", mapping);
    const KernelVirt map = add_map("bpf_arena", {"arena", map_type::kArena, 0, 0, 4});
    set(map, "bpf_arena", "kern_vm", area);
    set(map, "bpf_arena", "user_vm_start", kUserStart);
  }

  void declare(KernelVirt map, int value) {
    set(map, "bpf_map", "btf", btf_);
    set(map, "bpf_map", "btf_value_type_id", static_cast<std::uint32_t>(value));
  }

  ProgramTypes types_;
  KernelVirt btf_;
  KernelVirt rows_;
  KernelVirt hash_;
  KernelVirt arena_;
  KernelVirt masks_[kRows];
};

const FailureDumpMap& map_called(const FailureDumpReport& report, std::string_view name) {
  const auto map = std::ranges::find(report.maps, name, &FailureDumpMap::name);
  REQUIRE(map != report.maps.end());
  return *map;
}

const RenderedValue& behind(const RenderedValue& value) {
  const auto* pointer = value.get_if<RenderedPtr>();
  REQUIRE(pointer);
  REQUIRE(bool(pointer->target));
  REQUIRE_MESSAGE(pointer->target->deref.has_value(), pointer->target->deref_skipped_reason.value_or(""));
  return *pointer->target->deref;
}

/// Without what differs between two dumps of one instant.
std::string text_of(FailureDumpReport report) {
  report.origin.dump_ns.reset();
  return to_json(report);
}

}  // namespace

TEST_CASE("values, masks behind pointers and lists in the arena are shown as they were captured") {
  RowGuest guest;
  const Kernel kernel = guest.attach();
  const DumpReaders readers(kernel);
  auto state = capture_state({.kernel = kernel, .readers = readers});
  guest.overwrite();
  const auto report = render_state(std::move(state));
  const auto& rows = map_called(report, "rows");
  CHECK_FALSE(rows.error.has_value());
  REQUIRE(rows.array_entries.size() == kRows);
  const RenderedValue& first = *rows.array_entries[0].value;
  CHECK(first.get("count")->as_u64() == 10);
  CHECK(behind(*first.get("mask")) == RenderedValue{RenderedCpuList{"0"}});
  CHECK(first.get("list.weight")->as_u64() == 100);
  CHECK(first.get("list.next.weight")->as_u64() == 200);
  CHECK(behind(*rows.array_entries[1].value->get("mask")) == RenderedValue{RenderedCpuList{"1"}});
  const auto& hash = map_called(report, "hash");
  REQUIRE(hash.entries.size() == 1);
  CHECK(behind(*hash.entries[0].value) == RenderedValue{RenderedCpuList{"1"}});
}

TEST_CASE("a report made after the guest changed is the one made before") {
  RowGuest guest;
  const Kernel kernel = guest.attach();
  const DumpReaders readers(kernel);
  const auto before = dump_state({.kernel = kernel, .readers = readers});
  auto state = capture_state({.kernel = kernel, .readers = readers});
  guest.overwrite();
  CHECK(text_of(render_state(std::move(state))) == text_of(before));
  CHECK(text_of(dump_state({.kernel = kernel, .readers = readers})) != text_of(before));
}

TEST_CASE("all that a dump keeps is bounded together, and what there is no room for is told") {
  RowGuest guest;
  const Kernel kernel = guest.attach();
  const DumpReaders readers(kernel);
  const auto report = dump_state({.kernel = kernel, .readers = readers, .max_bytes = 1024});
  REQUIRE(report.maps.size() == 3);
  for (const auto& map : report.maps) {
    CHECK(map.error->starts_with("left out: the maps before it took all the room that a dump has"));
    CHECK(map.array_entries.empty());
    CHECK(map.entries.empty());
  }
  CHECK(std::ranges::find(report.problems,
                          "dump: there was more than the 1 KiB that it may keep; the rest is left out") !=
        report.problems.end());
}

TEST_CASE("a budget for the maps alone shows them without what their pointers lead to") {
  RowGuest guest;
  const Kernel kernel = guest.attach();
  const DumpReaders readers(kernel);
  const auto report = dump_state({.kernel = kernel, .readers = readers, .max_bytes = 25U << 10});
  const auto& rows = map_called(report, "rows");
  REQUIRE(rows.array_entries.size() == kRows);
  CHECK(report.problems.size() >= 2);
  CHECK(std::ranges::find(report.problems, "pointers: more lies behind them than is copied") !=
        report.problems.end());
}

TEST_CASE("memory that runs out costs a section, and the dump says so") {
  RowGuest guest;
  const Kernel kernel = guest.attach();
  const DumpReaders readers(kernel);
  const auto report =
      dump_state({.kernel = kernel,
                  .readers = readers,
                  .pointer_resolution = [](const RenderContext&) -> std::unique_ptr<RenderContext> {
                    throw std::bad_alloc();
                  }});
  CHECK(std::ranges::find(report.problems, "BPF: out of memory") != report.problems.end());
  CHECK(report.maps.empty());
  CHECK_FALSE(report.origin.kernel.empty());
}

TEST_CASE("what is not captured in time is left out, however long rendering takes") {
  RowGuest guest;
  const Kernel kernel = guest.attach();
  const DumpReaders readers(kernel);
  const auto late = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const auto report = render_state(capture_state({.kernel = kernel, .readers = readers, .deadline = late}));
  CHECK(report.dump_truncated_at_us.has_value());
  CHECK(report.maps.empty());
  CHECK(report.maps_truncated == 3);
  CHECK(report.sdt_alloc_unavailable == "dump deadline exceeded before sdt_alloc pre-pass could run");
}

}  // namespace ktstr::introspect::test
