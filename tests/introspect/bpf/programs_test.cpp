#include <doctest/doctest.h>

#include <limits>

#include "introspect/bpf/active_object.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/programs.h"
#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::introspect::test {
namespace {

struct ProgGuest : BpfGuest {
  void set_stats(KernelVirt program, std::size_t cpu, std::uint64_t cnt, std::uint64_t nsecs,
                 std::uint64_t misses) {
    const auto pointer = get<KernelVirt>(place(program, "bpf_prog", "stats"));
    const KernelVirt stats = memory().per_cpu(pointer, cpu);
    set(stats, "bpf_prog_stats", "cnt", cnt);
    set(stats, "bpf_prog_stats", "nsecs", nsecs);
    set(stats, "bpf_prog_stats", "misses", misses);
  }
  [[nodiscard]] ProgWalk list() const { return list_bpf_programs(attach(), layouts()).value(); }
  [[nodiscard]] ProgRuntimeStats stats(std::size_t index) const {
    return read_runtime_stats(attach(), layouts(), list().items.at(index));
  }
  [[nodiscard]] std::optional<ActiveObject> active() const {
    const Kernel kernel = attach();
    const auto maps = list_bpf_maps(kernel, layouts()).value();
    return find_active_object(kernel, layouts(), maps.items, list().items);
  }
  /// A STRUCT_OPS map of sched_ext whose operation `dispatch` is the program with this id; enqueue has none.
  KernelVirt add_operations(std::uint64_t dispatch) {
    const Btf& btf = memory().btf();
    const BtfTypeId type = *btf.find_struct("bpf_struct_ops_sched_ext_ops");
    const KernelVirt map = add_map("bpf_struct_ops_map", {"ktstr_ops", map_type::kStructOps, 4, 32, 1}, 64);
    const KernelVirt user_value = memory().allocate(*btf.size_of(type));
    memory().write(user_value + btf.member(type, "data.dispatch").value().byte_offset(), dispatch);
    set(map, "bpf_struct_ops_map", "uvalue", user_value);
    set(map, "bpf_map", "btf_vmlinux_value_type_id", static_cast<std::uint32_t>(type));
    return map;
  }
  [[nodiscard]] std::optional<ActiveObject> object_of(KernelVirt operations) const {
    return find_object_of(attach(), layouts(), info(operations), list().items);
  }
  void switch_statistics(bool on) {
    memory().write(memory().symbol("bpf_stats_enabled_key"), std::int32_t{on});
  }
  KernelVirt aux(KernelVirt program) { return get<KernelVirt>(place(program, "bpf_prog", "aux")); }
};

}  // namespace

TEST_CASE("programs are listed with type, name and verified instructions") {
  ProgGuest guest;
  const KernelVirt program = guest.add_program("ktstr_enqueue", kStructOpsProgType, {});
  guest.set(guest.aux(program), "bpf_prog_aux", "verified_insns", std::uint32_t{497});
  guest.add_program("fill", 26, {});
  const auto walk = guest.list();
  REQUIRE(walk.items.size() == 2);
  CHECK(walk.items[0].type_name == "STRUCT_OPS");
  CHECK(walk.items[1].type_name == "TRACING");
  const auto verifier = struct_ops_verifier_stats(walk.items);
  REQUIRE(verifier.size() == 1);
  CHECK(verifier[0].name == "ktstr_enqueue");
  CHECK(verifier[0].verified_insns == 497);
}

TEST_CASE("a program whose aux belongs to another is reported") {
  ProgGuest guest;
  const KernelVirt one = guest.add_program("one", 26, {});
  const KernelVirt two = guest.add_program("two", 26, {});
  guest.set(two, "bpf_prog", "aux", guest.aux(one));
  const auto walk = guest.list();
  CHECK(walk.items.size() == 1);
  REQUIRE(walk.bad.size() == 1);
  CHECK(walk.bad[0].reason == "its struct bpf_prog_aux is another program's");
}

TEST_CASE("counters are summed over the CPUs, up to the largest number") {
  ProgGuest guest;
  guest.switch_statistics(true);
  const KernelVirt program = guest.add_program("enqueue", kStructOpsProgType, {});
  guest.set_stats(program, 0, 10, 400, 1);
  guest.set_stats(program, 1, 2, 80, 0);
  CHECK(guest.stats(0).cnt == 12);
  CHECK(guest.stats(0).nsecs == 480);
  CHECK(guest.stats(0).misses == 1);
  guest.set_stats(program, 1, std::numeric_limits<std::uint64_t>::max(), 0, 0);
  CHECK(guest.stats(0).cnt == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("counters that can't be read are absent") {
  ProgGuest guest;
  const KernelVirt program = guest.add_program("enqueue", kStructOpsProgType, {});
  guest.set(program, "bpf_prog", "stats", KernelVirt{});
  CHECK_FALSE(guest.stats(0).cnt.has_value());
  CHECK(guest.stats(0).to_text() == "enqueue: unreadable");
}

TEST_CASE("calls and times that the kernel did not count are absent, misses are there") {
  ProgGuest guest;
  const KernelVirt program = guest.add_program("enqueue", kStructOpsProgType, {});
  guest.set_stats(program, 0, 0, 0, 2);
  CHECK_FALSE(guest.stats(0).cnt.has_value());
  CHECK_FALSE(guest.stats(0).nsecs.has_value());
  CHECK(guest.stats(0).misses == 2);
  CHECK(guest.stats(0).to_text() ==
        "enqueue: misses=2 (calls are not counted: kernel.bpf_stats_enabled is 0)");
  guest.switch_statistics(true);
  CHECK(guest.stats(0).cnt == 0);
}

TEST_CASE("what is derived from counters has guards") {
  const ProgRuntimeStats ran{"run", 12, 480, 1}, clean{"run", 12, 480, 0}, idle{"run", 0, 0, 0};
  CHECK(ran.to_text() == "run: cnt=12 nsecs=480 misses=1 ns/call=40.000 miss_rate=0.0769");
  CHECK(clean.to_text() == "run: cnt=12 nsecs=480 misses=0 ns/call=40.000");
  CHECK(idle.to_text() == "run: cnt=0 nsecs=0 misses=0");
  CHECK_FALSE(idle.ns_per_call().has_value());
  CHECK_FALSE(idle.miss_rate().has_value());
  CHECK(clean.miss_rate() == 0);
}

TEST_CASE("whether run times are counted") {
  ProgGuest guest;
  CHECK(run_time_stats_enabled(guest.attach()) == false);
  guest.switch_statistics(true);
  CHECK(run_time_stats_enabled(guest.attach()) == true);
}

TEST_CASE("prefixes of global sections") {
  CHECK(global_section_prefix("ktstr.bss") == "ktstr");
  CHECK(global_section_prefix("scx_layered.data") == "scx_layered");
  CHECK(global_section_prefix("mitosis.rodata") == "mitosis");
  CHECK_FALSE(global_section_prefix("ktstr_ops").has_value());
  CHECK_FALSE(global_section_prefix(".bss").has_value());
  CHECK_FALSE(global_section_prefix("ktstr.bss.x").has_value());
}

TEST_CASE("the active object has the maps of all programs that share a section with the first") {
  ProgGuest guest;
  const KernelVirt bss = guest.add_array({"ktstr.bss", map_type::kArray}, {});
  const KernelVirt hash = guest.add_array({"hash", map_type::kArray}, {});
  const KernelVirt other_bss = guest.add_array({"ktstr.bss", map_type::kArray}, {});
  guest.add_program("first", kStructOpsProgType, {bss});
  guest.add_program("second", kStructOpsProgType, {bss, hash});
  guest.add_program("other_copy", kStructOpsProgType, {other_bss});
  const auto object = guest.active();
  REQUIRE(object.has_value());
  CHECK(object->name == "ktstr");
  CHECK(object->used_maps == std::vector<KernelVirt>{bss, hash});
}

TEST_CASE("of two objects of one name, the operations' programs tell which is which") {
  ProgGuest guest;
  const KernelVirt former = guest.add_array({"ktstr.bss", map_type::kArray}, {});
  const KernelVirt bss = guest.add_array({"ktstr.bss", map_type::kArray}, {});
  const KernelVirt hash = guest.add_array({"hash", map_type::kArray}, {});
  guest.add_program("dispatch", kStructOpsProgType, {former});
  guest.add_program("dispatch", kStructOpsProgType, {bss});
  guest.add_program("fill", 26, {bss, hash});
  const auto object = guest.object_of(guest.add_operations(2));
  REQUIRE(object.has_value());
  CHECK(object->name == "ktstr");
  CHECK(object->used_maps == std::vector<KernelVirt>{bss, hash});
  CHECK(guest.object_of(guest.add_operations(1))->used_maps == std::vector<KernelVirt>{former});
}

TEST_CASE("operations without a program that is there tell nothing") {
  ProgGuest guest;
  guest.add_program("dispatch", kStructOpsProgType, {guest.add_array({"ktstr.bss", map_type::kArray}, {})});
  CHECK_FALSE(guest.object_of(guest.add_operations(0)).has_value());
  CHECK_FALSE(guest.object_of(guest.add_operations(1ULL << 32 | 1)).has_value());
  const KernelVirt unreadable = guest.add_operations(1);
  CHECK(guest.object_of(unreadable).has_value());
  guest.set(unreadable, "bpf_struct_ops_map", "uvalue", BpfGuest::kUnmapped);
  CHECK_FALSE(guest.object_of(unreadable).has_value());
}

TEST_CASE("programs of other struct_ops do not name the scheduler") {
  ProgGuest guest;
  const KernelVirt tcp = guest.add_array({"tcp.bss", map_type::kArray}, {});
  const KernelVirt scx = guest.add_array({"scx.bss", map_type::kArray}, {});
  const KernelVirt program = guest.add_program("cong_control", kStructOpsProgType, {tcp});
  guest.set(guest.aux(program), "bpf_prog_aux", "attach_btf_id",
            static_cast<std::uint32_t>(*guest.memory().btf().find_struct("tcp_congestion_ops")));
  guest.add_program("enqueue", kStructOpsProgType, {scx});
  CHECK(guest.active()->name == "scx");
}

TEST_CASE("a count of used maps beyond the kernel's limit is cut to it") {
  ProgGuest guest;
  const KernelVirt bss = guest.add_array({"ktstr.bss", map_type::kArray}, {});
  const KernelVirt program = guest.add_program("first", kStructOpsProgType, {bss});
  guest.set(guest.aux(program), "bpf_prog_aux", "used_map_cnt", std::uint32_t{0xffff'ffff});
  CHECK(guest.active()->name == "ktstr");
}

TEST_CASE("a prefix that no listed map has is not believed") {
  ProgGuest guest;
  const KernelVirt hidden = guest.memory().allocate(guest.memory().size_of("bpf_map"));
  guest.set_name(guest.place(hidden, "bpf_map", "name"), "ghost.bss");
  guest.add_program("first", kStructOpsProgType, {hidden});
  CHECK_FALSE(guest.active().has_value());
}

TEST_CASE("without programs the names tell, unless they are ambiguous") {
  ProgGuest guest;
  guest.add_map("bpf_map", {"ktstr.ops", map_type::kStructOps});
  CHECK_FALSE(guest.active().has_value());
  guest.add_array({"ktstr.bss", map_type::kArray}, {});
  REQUIRE(guest.active().has_value());
  CHECK(guest.active()->name == "ktstr");
  CHECK(guest.active()->used_maps.empty());
  guest.add_array({"ktstr.bss", map_type::kArray}, {});
  CHECK_FALSE(guest.active().has_value());
}

TEST_CASE("two objects that fit by name are none") {
  ProgGuest guest;
  guest.add_map("bpf_map", {"one.ops", map_type::kStructOps});
  guest.add_map("bpf_map", {"two.ops", map_type::kStructOps});
  guest.add_array({"one.bss", map_type::kArray}, {});
  guest.add_array({"two.bss", map_type::kArray}, {});
  CHECK_FALSE(guest.active().has_value());
}

}  // namespace ktstr::introspect::test
