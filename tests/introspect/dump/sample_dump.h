// A report in which every member holds something that its default does not.
#pragma once

#include <cstdint>
#include <limits>

#include "introspect/dump/dump.h"

namespace ktstr::introspect::testing {

inline RenderedValue number(std::uint64_t value) {
  return {RenderedUint{64, value}};
}

inline RenderedValue record_value(std::uint64_t count) {
  RenderedStruct record;
  record.type_name = "stats";
  record.members.push_back({"nr_enqueued", number(count)});
  record.members.push_back({"negative", {RenderedInt{32, -7}}});
  record.members.push_back({"name", {RenderedText{16, std::string("abc\0def", 7)}}});
  record.members.push_back({"next", {RenderedPtr{0xffff888000000000, {}}}});
  return {std::move(record)};
}

inline FailureDumpMap map_named(std::string name, std::uint64_t address) {
  FailureDumpMap map;
  map.name = std::move(name);
  map.map_kva = address;
  map.map_type = 2;
  map.type_name = "ARRAY";
  map.value_size = 8;
  map.max_entries = 1;
  map.id = 5;
  return map;
}

/// One map of each family.
inline std::vector<FailureDumpMap> sample_maps() {
  auto bss = map_named("scx_ktst.bss", 0xffff888000001000);
  bss.value = record_value(std::numeric_limits<std::uint64_t>::max());
  auto hash = map_named("hash", 0xffff888000002000);
  hash.entries = {{number(1), "01 00", record_value(3), "03 00", number(9)},
                  {std::nullopt, "02", std::nullopt, "", std::nullopt}};
  auto array = map_named("array", 0xffff888000003000);
  array.array_entries = {{0, number(4)}, {1, std::nullopt}};
  auto percpu = map_named("percpu", 0xffff888000004000);
  percpu.percpu_entries = {{0, {number(1), std::nullopt, number(3)}}};
  auto percpu_hash = map_named("percpu_hash", 0xffff888000005000);
  percpu_hash.percpu_hash_entries = {{number(8), "08", {std::nullopt, number(2)}}};
  auto ring = map_named("ring", 0xffff888000006000);
  ring.ringbuf = FailureDumpRingbuf{4096, 8, 40, 24, 32, {{8, 16, true, false, "aa bb"}}};
  auto stacks = map_named("stacks", 0xffff888000007000);
  stacks.stack_trace =
      FailureDumpStackTrace{16, {{3, 2, {0xffffffff81000000, 0xffffffff81000010}, "00"}}, true, 1};
  auto programs = map_named("programs", 0xffff888000008000);
  programs.fd_array =
      FailureDumpFdArray{1, 4, {2}, true, true, 1, {{2, 77, "prog", 0xffffffffc0000000, "01"}}};
  auto bloom = map_named("bloom", 0xffff888000009000);
  bloom.bloom = FailureDumpBloom{512, 15, 3, 42};
  auto ops = map_named("ops", 0xffff88800000a000);
  ops.value = record_value(1);
  ops.struct_ops = FailureDumpStructOps{1, "INUSE", 2, record_value(2)};
  auto arena = map_named("arena", 0xffff88800000b000);
  arena.arena =
      ArenaSnapshot{{{0x100000000000, {1, 2, 255}}}, true, 1024, true, 0xffffc90000000000, 0x100000000000};
  auto broken = map_named("broken", 0xffff88800000c000);
  broken.error = "bpf_array can't be read";
  return {bss, hash, array, percpu, percpu_hash, ring, stacks, programs, bloom, ops, arena, broken};
}

inline TaskEnrichment task(std::int32_t pid, std::string comm, std::uint64_t address) {
  TaskEnrichment task;
  task.pid = pid;
  task.tgid = pid;
  task.comm = std::move(comm);
  task.task_kva = address;
  task.sched_class = "ext";
  task.state = "R";
  task.scx.emplace();
  task.scx->dsq_id = 0x8000000000000002;
  return task;
}

/// CPU 0 runs a real-time task; two tasks of the fair class and one with a deadline wait.
inline CpuRunqueue sample_runqueue() {
  CpuRunqueue rq;
  rq.online = true;
  rq.nr_running = 4;
  rq.nr_ext = 1;
  rq.nr_switches = 1234;
  rq.clock_ns = 2'000'000'000;
  rq.curr_pid = 14;
  rq.curr_comm = "audio";
  rq.curr_class = "rt";
  rq.curr_kva = 0xffff888000300000;
  rq.fair = {2,
             2,
             900'000'000,
             "zero_vruntime",
             900'100'000,
             {{12, "worker", 0xffff888000100000, 0xffff888000400000, false, 1024, 900'000'000, 100'000,
               903'000'000, 3'000'000, false},
              {13, "a\x1b[31m", 0xffff888000200000, 0xffff888000400000, false, 1024, 900'200'000, -100'000,
               903'200'000, 3'000'000, true}}};
  rq.rt = {1, {{14, "audio", 0xffff888000300000, true, 50}}};
  rq.deadline = {
      1, {{std::nullopt, "fair_server", std::nullopt, false, 2'100'000'000, 50'000'000, 1'000'000'000}}};
  rq.truncated = true;
  rq.problems = {"cfs: a sched_entity can't be read"};
  return rq;
}

inline FailureDumpReport sample_report() {
  FailureDumpReport report;
  report.origin = {DumpCause::kSchedulerError,
                   "",
                   "exit_kind turned to 1026",
                   "Linux version 7.3.4",
                   2'500'000'000,
                   3'000'000,
                   15'000'000,
                   19'000'000};
  report.exit_record.emplace();
  report.exit_record->kind = 1026;
  report.exit_record->kind_name = "ERROR_STALL";
  report.exit_record->reason = "runnable task stall";
  report.exit_record->msg = "worker[12] failed to run for 2.6s";
  report.exit_record->backtrace = {{0xffffffff81000000, "scx_watchdog_workfn+0x1c"},
                                   {0xffffffffc0000000, std::nullopt}};
  report.maps = sample_maps();
  report.vcpu_regs = {VcpuRegSnapshot{.instruction_pointer = 0xffffffff81000000, .symbol = "schedule+0x1c"},
                      std::nullopt};
  report.active_obj_name = "scx_ktst";
  report.active_map_kvas = {0xffff888000001000};
  report.sdt_allocations = {
      {"scx_task_allocator", {{1, 2, 0x1000, record_value(6)}}, true, 1, 64, 9, "no candidate"}};
  report.scx_static_ranges = {{{"scx_bump", 4096, 128, 8192}}, 1};
  report.sdt_alloc_unavailable = "a reason";
  report.prog_runtime_stats = {{"enqueue", 12, 480, 1},
                               {"dispatch", std::nullopt, std::nullopt, std::nullopt}};
  report.prog_runtime_stats_unavailable = "b reason";
  report.prog_verifier_stats = {{"enqueue", 345}};
  report.per_cpu_time.resize(2);
  report.per_cpu_time[1].cpu = 1;
  report.per_cpu_time[1].idle_since_ns = 5;
  report.system_psi.emplace().enabled = true;
  report.cgroup_psi = {{"/web", {}}};
  report.per_node_numa.resize(1);
  report.per_node_numa[0].numa_hit = 15774;
  report.per_node_numa_unavailable = "c reason";
  report.task_enrichments = {task(12, "worker", 0xffff888000100000),
                             task(13, "a\x1b[31m", 0xffff888000200000)};
  report.task_enrichments_unavailable = "d reason";
  report.cpu_runqueues = {sample_runqueue()};
  report.cpu_runqueues_unavailable = "f reason";
  report.event_counter_timeline.resize(3);
  number_of(report.event_counter_timeline[2], "bypass_activate") = 4;
  report.rq_scx_states.resize(1);
  report.rq_scx_states[0].runnable_task_kvas = {0xffff888000100000};
  report.dsq_states.resize(1);
  report.dsq_states[0].id = 0x100;
  report.dsq_states[0].origin = "user";
  report.dsq_states[0].nr = 1;
  report.dsq_states[0].task_kvas = {0xffff888000100000};
  report.scx_sched_state.emplace().ops_name = "ktstr";
  report.scx_walker_unavailable = "e reason";
  report.vcpu_perf_at_freeze = {VcpuPerfSample{1, 2, 3, 4}, std::nullopt};
  report.dump_truncated_at_us = 7;
  report.maps_truncated = 3;
  report.probe_counters.emplace().trigger_count = 1;
  report.problems = {"tasks: 1 could not be read"};
  return report;
}

}  // namespace ktstr::introspect::testing
