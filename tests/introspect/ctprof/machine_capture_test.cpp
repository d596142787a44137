// Cgroups, pressure, sched_ext and the host, captured from a staged tree.
#include <doctest/doctest.h>

#include "introspect/ctprof/machine_stats.h"
#include "introspect/ctprof/parse/host_files.h"
#include "tests/introspect/ctprof/staged_tree.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::StagedTree;

constexpr std::string_view kPressure =
    "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";

}  // namespace

TEST_CASE("each cgroup that a thread is in is read once, from where v2 is mounted") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.add_thread(4, 4, "b");
  tree.write("sys/fs/cgroup/unified/cgroup.controllers", "cpu\n");
  tree.write("sys/fs/cgroup/unified/work/cpu.stat", "usage_usec 9\nnr_throttled 0\n");
  tree.write("sys/fs/cgroup/unified/work/cpu.max", "max 100000\n");
  tree.write("sys/fs/cgroup/unified/work/memory.events", "oom 1\n");
  tree.write("sys/fs/cgroup/unified/work/cpu.pressure", kPressure);
  const auto snapshot = tree.capture();
  REQUIRE(snapshot.cgroup_stats.size() == 1);
  const auto& work = snapshot.cgroup_stats.at("/work");
  CHECK(work.cpu.usage_usec == 9u);
  CHECK(work.cpu.max_quota_usec == Limit{});
  CHECK(work.memory.events == std::map<std::string, std::uint64_t>{{"oom", 1}});
  CHECK(work.pressure.cpu->full.has_value());
  CHECK(!work.memory.current);
  CHECK(!work.pids.max);
}

TEST_CASE("a cgroup outside of the namespace is not looked up") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.write_task(3, 3, "cgroup", "0::/../other\n");
  CHECK(tree.capture().cgroup_stats.empty());
}

TEST_CASE("the system's cpu.full has no meaning, missing files are absent") {
  const StagedTree tree;
  tree.write("proc/pressure/cpu", kPressure);
  const auto pressure = tree.capture().pressure;
  CHECK(pressure.cpu->some == PsiHalf{150, 0, 0, 7});
  CHECK(!pressure.cpu->full);
  CHECK(!pressure.irq);
}

TEST_CASE("the root of the hierarchy has the system's pressure, the root of a namespace its own") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.write_task(3, 3, "cgroup", "0::/\n");
  tree.write("sys/fs/cgroup/cpu.pressure", kPressure);
  const auto root = tree.capture().cgroup_stats.at("/").pressure.cpu;
  CHECK(root->some.has_value());
  CHECK(!root->full);
  tree.write("sys/fs/cgroup/cgroup.type", "domain\n");
  CHECK(tree.capture().cgroup_stats.at("/").pressure.cpu->full.has_value());
}

TEST_CASE("settings that are off are hinted at") {
  HostContext host;
  CHECK(setting_hints(host).empty());
  host.tunables["kernel/sched_schedstats"] = "1";
  CHECK(setting_hints(host).empty());
  host.tunables["kernel/sched_schedstats"] = "0";
  host.tunables["kernel/task_delayacct"] = "0";
  const auto hints = setting_hints(host);
  REQUIRE(hints.size() == 2);
  CHECK(hints[0].find("sysctl kernel.sched_schedstats=1") != std::string::npos);
  CHECK(hints[1].find("sysctl kernel.task_delayacct=1") != std::string::npos);
}

TEST_CASE("sched_ext's state is absent without its directory") {
  const StagedTree tree;
  CHECK(!tree.capture().sched_ext);
  tree.write("sys/kernel/sched_ext/state", "enabled\n");
  tree.write("sys/kernel/sched_ext/enable_seq", "3\n");
  const auto state = tree.capture().sched_ext;
  REQUIRE(state);
  CHECK(state->state == "enabled");
  CHECK(state->enable_seq == 3u);
  CHECK(!state->nr_rejected);
}

TEST_CASE("the host is described by its own files") {
  const StagedTree tree;
  tree.write("proc/sys/kernel/osrelease", "7.3.0\n");
  tree.write("proc/sys/kernel/random/boot_id", "b-1\n");
  tree.write("proc/sys/kernel/task_delayacct", "0\n");
  tree.write("proc/cmdline", "quiet delayacct\n");
  tree.write("proc/meminfo", "MemTotal:       2 kB\nSwapTotal:      0 kB\n");
  tree.write("proc/cpuinfo",
             "model name\t: Some CPU\nphysical id\t: 0\ncore id\t: 0\n\nphysical id\t: 0\ncore id\t: 1\n");
  tree.write("sys/devices/system/cpu/online", "0-1\n");
  const auto host = tree.capture().host;
  CHECK(host.kernel_release == "7.3.0");
  CHECK(host.boot_id == "b-1");
  CHECK(host.command_line == "quiet delayacct");
  CHECK(host.memory_bytes == 2048u);
  CHECK(host.swap_bytes == 0u);
  CHECK(host.cpu_model == "Some CPU");
  CHECK(host.packages == 1u);
  CHECK(host.cores == 2u);
  CHECK(host.cpus_online == "0-1");
  CHECK(!host.nodes_online);
  CHECK(host.tunables.at("kernel/task_delayacct") == "0");
  CHECK(host.kernel_config.empty());
}

TEST_CASE("what taskstats counts depends on configuration and switch") {
  HostContext host;
  CHECK(taskstats_gates(host).delays);
  host.tunables["kernel/task_delayacct"] = "0";
  CHECK(!taskstats_gates(host).delays);
  CHECK(taskstats_gates(host).cpu_delay);
  host.kernel_config = parse_kernel_config("CONFIG_TASK_XACCT=y\n# CONFIG_TASK_DELAY_ACCT is not set\n");
  CHECK(!taskstats_gates(host).cpu_delay);
  CHECK(taskstats_gates(host).xacct);
  CHECK(host.kernel_config.at("CONFIG_SCHEDSTATS") == "n");
}

TEST_CASE("loadavg's first number is the load") {
  CHECK(parse_loadavg("0.40 0.43 1.11 1/86 29337\n") == doctest::Approx(0.4));
  CHECK(!parse_loadavg("x 0.43\n"));
  CHECK(!parse_loadavg("-1.0 0.43\n"));
  CHECK(!parse_loadavg(""));
}

}  // namespace ktstr::introspect::ctprof
