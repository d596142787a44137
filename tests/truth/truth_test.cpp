// What is read from a stopped guest with a scheduler, against what bpftool and /proc say in that guest. A
// thing that the guest says the same of before and after it was stopped did not change meanwhile: memory must
// hold just that.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "introspect/bpf/map_list.h"
#include "introspect/bpf/programs.h"
#include "introspect/bpf/read_map.h"
#include "introspect/dump/dump.h"
#include "introspect/dump/dump_state.h"
#include "introspect/task/task_list.h"
#include "tests/skip.h"
#include "tests/truth/bpftool_output.h"
#include "tests/truth/read_entries.h"
#include "tests/truth/truth_machine.h"

namespace ktstr::truth {
namespace {

using namespace introspect;
using Dump = std::optional<std::vector<DumpedEntry>>;

/// Map types that bpftool can dump and the fixture has.
const std::set<std::string> kDumpable = {"ARRAY",      "HASH",          "LRU_HASH",     "PERCPU_ARRAY",
                                         "LPM_TRIE",   "PERCPU_HASH",   "PROG_ARRAY",   "LRU_PERCPU_HASH",
                                         "STRUCT_OPS", "ARRAY_OF_MAPS", "HASH_OF_MAPS", "STACK_TRACE"};

/// Everything that the guest says of itself at one time.
struct Said {
  std::map<std::uint32_t, ShownObject> maps;
  std::map<std::uint32_t, Dump> dumps;
  std::map<std::uint32_t, ShownObject> programs;
  std::map<std::int32_t, std::string> tasks;
};

/// Everything that was read at one instant.
struct Read {
  std::vector<BpfMapInfo> maps;
  std::map<std::uint32_t, MapContents> contents;
  std::map<std::uint32_t, BpfProgInfo> programs;
  std::map<std::uint32_t, ProgRuntimeStats> statistics;
  std::map<std::int32_t, std::string> tasks;
};

std::string answer(Result<std::string> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return *std::move(result);
}

std::map<std::uint32_t, ShownObject> by_id(const std::vector<ShownObject>& objects) {
  std::map<std::uint32_t, ShownObject> map;
  for (const auto& object : objects) map[object.id] = object;
  return map;
}

std::map<std::int32_t, std::string> said_tasks(TruthMachine& guest) {
  std::map<std::int32_t, std::string> tasks;
  std::istringstream lines(answer(guest.run({"tasks"})));
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    tasks[std::stoi(line.substr(0, space))] = line.substr(space + 1);
  }
  return tasks;
}

Said ask(TruthMachine& guest) {
  Said said;
  said.maps = by_id(parse_show(answer(guest.bpftool({"map", "show"}))));
  for (const auto& [id, map] : said.maps)
    said.dumps[id] = parse_map_dump(answer(guest.bpftool({"map", "dump", "id", std::to_string(id)})));
  said.tasks = said_tasks(guest);
  said.programs = by_id(parse_show(answer(guest.bpftool({"prog", "show"}))));
  return said;
}

struct TaskLayout : LayoutOf<"task_struct"> {
  Field<std::int32_t> pid{*this, {"pid"}};
  Embedded comm{*this, {"comm"}};
};

std::map<std::int32_t, std::string> read_tasks(const Kernel& kernel) {
  const auto list_layout = [&] {
    TaskListLayout layout;
    REQUIRE(layout.resolve(kernel.btf()).has_value());
    return layout;
  }();
  const auto list = list_tasks(kernel, list_layout);
  REQUIRE(list.has_value());
  CHECK(list->problems == std::vector<std::string>());
  const auto layout = resolve_layout<TaskLayout>(kernel.btf());
  REQUIRE(layout.has_value());
  std::map<std::int32_t, std::string> tasks;
  for (const KernelVirt task : list->tasks)
    tasks[layout->pid.read(kernel, task).value()] =
        kernel.read_c_string(layout->comm.address(task), layout->comm.size()).value();
  return tasks;
}

Read read(const Kernel& kernel) {
  Read read;
  const auto layouts = BpfLayouts::resolve(kernel.btf());
  REQUIRE(layouts.has_value());
  const auto maps = list_bpf_maps(kernel, *layouts);
  REQUIRE(maps.has_value());
  CHECK(maps->bad.empty());
  read.maps = maps->items;
  for (const auto& map : read.maps)
    if (auto contents = read_map_contents(kernel, *layouts, map))
      read.contents.emplace(map.id, *std::move(contents));
  const auto programs = list_bpf_programs(kernel, *layouts);
  REQUIRE(programs.has_value());
  CHECK(programs->bad.empty());
  for (const auto& program : programs->items) {
    read.programs[program.id] = program;
    read.statistics[program.id] = read_runtime_stats(kernel, *layouts, program);
  }
  read.tasks = read_tasks(kernel);
  return read;
}

void check_headers(const Said& said, const Read& read) {
  for (const auto& map : read.maps) {
    CAPTURE(map.id);
    const auto shown = said.maps.find(map.id);
    REQUIRE(shown != said.maps.end());
    CHECK(map.name == shown->second.name);
    CHECK(map.key_size == shown->second.key_bytes);
    CHECK(map.value_size == shown->second.value_bytes);
    CHECK(map.max_entries == shown->second.max_entries);
    CHECK(map.map_flags == shown->second.flags);
  }
  CHECK(read.maps.size() == said.maps.size());
}

/// bpftool's own reference is in a STRUCT_OPS map's count.
Dump without_references(Dump dump, const BpfMapInfo& map) {
  if (dump && map.type_name == "STRUCT_OPS")
    for (auto& entry : *dump) std::fill_n(entry.values.at(0).begin(), 4, std::byte{0});
  return dump;
}

void check_contents(const Said& before, const Read& read, const Said& after) {
  std::set<std::string> compared;
  for (const auto& map : read.maps) {
    CAPTURE(map.name);
    CAPTURE(map.type_name);
    const auto found = read.contents.find(map.id);
    REQUIRE(found != read.contents.end());
    CHECK(is_whole(found->second));
    const Dump first = without_references(before.dumps.at(map.id), map);
    if (!kDumpable.contains(map.type_name) || !first ||
        first != without_references(after.dumps.at(map.id), map))
      continue;
    CHECK((as_dumped(map, found->second) == first));
    compared.insert(map.type_name);
  }
  CHECK(compared == kDumpable);
}

/// Counters only grow; of a program that did not run they are equal.
void check_programs(const Said& before, const Read& read, const Said& after) {
  CHECK(read.programs.size() == before.programs.size());
  std::size_t at_rest = 0;
  for (const auto& [id, program] : read.programs) {
    CAPTURE(program.name);
    const auto& first = before.programs.at(id);
    const auto& last = after.programs.at(id);
    const auto& counters = read.statistics.at(id);
    // bpftool takes longer names from BTF than the kernel keeps, and adds subprograms to the size.
    CHECK(program.name == first.name.substr(0, kBpfNameBytes - 1));
    CHECK(program.jited_len.value() > 0);
    CHECK(program.jited_len.value() <= first.jited_bytes);
    CHECK(first.run_count <= counters.cnt);
    CHECK(counters.cnt <= last.run_count);
    CHECK(first.run_time_ns <= counters.nsecs);
    CHECK(counters.nsecs <= last.run_time_ns);
    CHECK(first.recursion_misses <= counters.misses);
    at_rest += first.run_count > 0 && first.run_count == last.run_count;
  }
  CHECK(at_rest > 0);
}

/// A workqueue's thread tells its work after its name in /proc.
void check_tasks(const Said& before, const Read& read, const Said& after) {
  std::size_t compared = 0;
  for (const auto& [tid, name] : before.tasks) {
    const auto again = after.tasks.find(tid);
    if (again == after.tasks.end() || again->second != name) continue;
    CAPTURE(tid);
    CAPTURE(name);
    REQUIRE(read.tasks.contains(tid));
    CHECK(name.starts_with(read.tasks.at(tid)));
    ++compared;
  }
  CHECK(compared > 20);
  for (const auto& [tid, name] : read.tasks) {
    CAPTURE(tid);
    CAPTURE(name);
    CHECK((before.tasks.contains(tid) || after.tasks.contains(tid)));
  }
}

/// Without the time it took.
std::string text_of(FailureDumpReport report) {
  report.origin.dump_ns.reset();
  return to_json(report);
}

void check_truth(const std::optional<std::string>& release) {
  const auto store = engine::KernelStore::open();
  const auto kernel = store ? store->resolve(release) : Result<engine::CachedKernel>(store.error());
  if (!kernel) SKIP_TEST(kernel.error().message);
  if (const auto missing = missing_for_truth()) SKIP_TEST(*missing);
  auto guest = TruthMachine::boot(*kernel);
  REQUIRE_MESSAGE(guest.has_value(), (guest ? "" : guest.error().message));
  const Said before = ask(**guest);
  const auto frozen = (*guest)->freeze();
  REQUIRE_MESSAGE(frozen.has_value(), (frozen ? "" : frozen.error().message));
  const Read held = read(*frozen);
  const DumpReaders readers(*frozen);
  const auto at_once = dump_state({.kernel = *frozen, .readers = readers});
  auto captured = capture_state({.kernel = *frozen, .readers = readers});
  REQUIRE((*guest)->thaw().has_value());
  const Said after = ask(**guest);
  check_headers(before, held);
  check_contents(before, held, after);
  check_programs(before, held, after);
  check_tasks(before, held, after);
  CHECK(text_of(render_state(std::move(captured))) == text_of(at_once));
}

}  // namespace

TEST_CASE("the default kernel's BPF maps, programs and tasks are what bpftool and /proc say") {
  check_truth(std::nullopt);
}

TEST_CASE("an older kernel's BPF maps, programs and tasks are what bpftool and /proc say") {
  check_truth("6.16");
}

}  // namespace ktstr::truth
