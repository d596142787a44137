// The parsers of /proc, cgroupfs and sysfs, of struct taskstats, and the reader of captures, on any bytes.
#include <string>

#include "introspect/ctprof/file.h"
#include "introspect/ctprof/jemalloc/process_heap.h"
#include "introspect/ctprof/parse/cgroup_files.h"
#include "introspect/ctprof/parse/host_files.h"
#include "introspect/ctprof/parse/task_files.h"
#include "introspect/ctprof/parse/text.h"
#include "introspect/ctprof/taskstats.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ktstr;
using namespace ktstr::introspect::ctprof;

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void parse_task_file(std::uint8_t which, std::string_view text) {
  ThreadRecord record;
  switch (which) {
    case 0:
      parse_stat(text, record);
      break;
    case 1:
      parse_schedstat(text, record);
      break;
    case 2:
      parse_status(text, record);
      break;
    case 3:
      parse_io(text, record);
      break;
    case 4:
      parse_sched(text, record);
      break;
    default:
      record.smaps_rollup_kib = parse_smaps_rollup(text);
      record.cgroup = parse_cgroup_path(text);
      record.comm = parse_comm(text);
  }
  static_cast<void>(to_json(record));
}

void parse_machine_file(std::string_view text) {
  CgroupStats stats;
  parse_cpu_stat(text, stats.cpu);
  parse_cpu_max(text, stats.cpu);
  stats.cpu.weight_nice = parse_single_signed(text);
  stats.memory.max = parse_limit(text);
  stats.memory.stat = parse_flat_keyed(text);
  stats.pressure.cpu = parse_psi(text);
  static_cast<void>(to_json(stats));
  static_cast<void>(parse_cpuinfo(text));
  static_cast<void>(parse_meminfo(text, "MemTotal"));
  static_cast<void>(parse_kernel_config(text));
  static_cast<void>(parse_loadavg(text));
}

/// What reads as a capture is written and read again: the same.
void read_capture(std::string_view json) {
  const auto tree = parse_json(json);
  Snapshot snapshot;
  if (!tree || read(*tree, snapshot, {}, MissingMembers::kError)) return;
  const auto compressed = compress_snapshot(snapshot);
  if (!compressed) __builtin_trap();
  const auto again = parse_snapshot(*compressed);
  if (again && *again != snapshot) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const auto which = input.take<std::uint8_t>();
  const auto bytes = input.rest();
  ThreadRecord record;
  switch (which) {
    case 6:
      parse_machine_file(text_of(bytes));
      break;
    case 7:
      parse_taskstats(bytes, {}, record);
      break;
    case 8:
      read_capture(text_of(bytes));
      break;
    case 10:
      static_cast<void>(parse_maps(text_of(bytes)));
      break;
    case 9:
      static_cast<void>(parse_snapshot(text_of(bytes)));
      break;
    default:
      parse_task_file(which, text_of(bytes));
  }
  return 0;
}
