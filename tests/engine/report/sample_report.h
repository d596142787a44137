// A report of a run as it could have been: two cgroups on two CPUs, one step, three samples.
#pragma once

#include "engine/report/run_report.h"

namespace ktstr::engine::testing {

inline protocol::WorkerReport worker(std::int32_t tid, std::string cgroup, std::uint64_t off_cpu_ms) {
  protocol::WorkerReport report;
  report.tid = tid;
  report.cgroup = std::move(cgroup);
  report.work = "cpu_spin";
  report.work_units = 1000;
  report.iterations = 500;
  report.wall_ns = 2'000'000'000;
  report.off_cpu_ns = off_cpu_ms * 1'000'000;
  report.cpu_ns = report.wall_ns - report.off_cpu_ns;
  report.completed = true;
  report.migrations = 1;
  report.migration_cpus = {1};
  report.cpus_used = CpuSet{0, 1};
  report.longest_gap_ns = 12'300'000;
  report.exit = {"exited", 0};
  return report;
}

inline introspect::MonitorSample sample(std::uint64_t elapsed_ms, std::uint32_t cpu0, std::uint32_t cpu1) {
  auto sample = introspect::MonitorSample::at(std::chrono::milliseconds(elapsed_ms));
  for (const auto running : {cpu0, cpu1}) {
    auto& cpu = sample.cpus.emplace_back();
    cpu.nr_running = running;
    cpu.rq_clock = elapsed_ms * 1'000'000 + running;
    cpu.local_dsq_depth = 0;
    cpu.schedstat = introspect::RqSchedstat{.run_delay = elapsed_ms * 1000,
                                            .pcount = elapsed_ms,
                                            .yld_count = {},
                                            .sched_count = {},
                                            .sched_goidle = {},
                                            .ttwu_count = {},
                                            .ttwu_local = {}};
  }
  return sample;
}

inline introspect::SchedDomainSnapshot domain(std::int32_t level, std::string name, std::string span) {
  introspect::SchedDomainSnapshot domain;
  domain.level = level;
  domain.name = std::move(name);
  domain.span = std::move(span);
  return domain;
}

inline RunReport passing_report() {
  RunReport report;
  report.scenario = "hello";
  report.description = "two cgroups";
  report.verdict = Outcome::kPass;
  report.seed = 7;
  report.replay = "ktstr run scenarios/hello.lua --kernel 7.3.4 --seed 7";
  report.kernel = {.version = "7.3.4", .build_id = "abcd", .release = "7.3.4-cloud-amd64"};
  report.machine = {
      .backend = "qemu-tcg", .emulated = true, .topology = "1n2l1c1t", .cpus = 2, .memory_bytes = 512U << 20};
  report.limits.emulation_factor = 4;
  report.limits.stretched = {"max_gap", "monitor.sustained_samples"};
  report.timeline.steps = {
      {.step = 1, .start_ns = 6'100'000'000, .hold_start_ns = 6'200'000'000, .end_ns = 8'200'000'000}};
  report.timeline.events = {{6'050'000'000, 40'000'000, 0, "add_cgroup", "web", 1, 2},
                            {6'150'000'000, 5'000'000, 1, "set_cpuset", "web", 1, 2}};
  report.workers = {{"web", "cpu_spin", CpuSet{0, 1}, {worker(101, "web", 100), worker(102, "web", 300)}}};
  report.groups = {summarize(report.workers[0])};
  auto& monitor = report.monitor.emplace();
  monitor.period_ns = 100'000'000;
  monitor.kernel_hz = 250;
  monitor.kernel_hz_source = "config";
  auto first = sample(6200, 1, 1);
  first.cpus[0].sched_domains = {domain(0, "MC", "0"), domain(1, "PKG", "0-1")};
  first.cpus[1].sched_domains = {domain(0, "MC", "1"), domain(1, "PKG", "0-1")};
  monitor.samples = std::vector{first, sample(6300, 3, 1), sample(6400, 1, 1)};
  monitor.summary = introspect::summarize(monitor.samples, 40'000'000);
  monitor.verdict = introspect::evaluate(monitor.samples, {});
  report.sampling.missed_periods = 2;
  report.timings = {.prepare_ns = 20'000'000,
                    .boot_ns = 5'900'000'000,
                    .attach_ns = 80'000'000,
                    .setup_ns = 100'000'000,
                    .hold_ns = 2'000'000'000,
                    .collect_ns = 50'000'000,
                    .shutdown_ns = 10'000'000,
                    .own_ns = 260'000'000,
                    .total_ns = 8'160'000'000};
  return report;
}

}  // namespace ktstr::engine::testing
