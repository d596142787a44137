#include "engine/scenario/load.h"

#include <doctest/doctest.h>

#include "engine/scenario/workers.h"

namespace ktstr::engine {
namespace {

/// Loads a scenario from JSON, the same tree that a script's tables make: "ok" or the error.
std::string outcome(std::string json) {
  const auto tree = parse_json(json);
  REQUIRE_MESSAGE(tree.has_value(), json);
  const auto scenario = load_scenario(*tree);
  return scenario ? "ok" : scenario.error().text();
}

/// A scenario on 4 CPUs with these members.
std::string with(const std::string& members) {
  return outcome(R"({"topology": "1n2l2c1t", )" + members + "}");
}

/// Cgroups web (CPU 0, two workers) and idle (CPUs 1-2, no workers), then these ops in one step.
std::string ops(const std::string& list, const std::string& hold = "1") {
  return with(
      R"("cgroups": {"web": {"cpuset": {"type": "exact", "cpus": "0"}, "works": [{"type": "cpu_spin", "workers": 2}]},
                             "idle": {"cpuset": {"type": "exact", "cpus": "1-2"}}, "plain": {}},
                 "steps": [{"ops": [)" +
      list + R"(], "hold": )" + hold + "}]");
}

std::string work(const std::string& members) {
  return with(R"("cgroups": {"web": {"works": [{)" + members + "}]}}");
}

}  // namespace

TEST_CASE("an empty scenario has defaults and one step that holds for all of it") {
  const auto scenario = load_scenario(*parse_json("{}"));
  REQUIRE(scenario.has_value());
  CHECK(scenario->steps.size() == 1);
  CHECK(std::holds_alternative<RestHold>(scenario->steps[0].hold));
  CHECK(guest_memory(*scenario) == ByteSize{512ULL << 20});
  CHECK(scenario->kaslr);
  CHECK(scenario->statistics);
  CHECK_FALSE(load_scenario(*parse_json(R"({"statistics": false})"))->statistics);
}

TEST_CASE("memory grows with the CPUs and has a floor") {
  CHECK(guest_memory(*load_scenario(*parse_json(R"({"topology": "1n2l8c1t"})"))) == ByteSize{1024ULL << 20});
  const auto memory = [](const char* json) { return guest_memory(*load_scenario(*parse_json(json))); };
  CHECK(memory(R"({"topology": "1n2l2c1t", "memory": "300M"})") == ByteSize{300ULL << 20});
  CHECK(memory(R"({"topology": "1n2l2c1t", "memory": "128M"})") == ByteSize{256ULL << 20});
  CHECK(memory(R"({"topology": "1n2l8c1t", "memory": "512M"})") == ByteSize{1024ULL << 20});
}

TEST_CASE("more workers than the memory can hold from the beginning are an error") {
  const auto crowd = [](const char* memory, int workers) {
    return with(std::string(memory) + R"("cgroups": {"a": {"works": [{"type": "bursty", "workers": )" +
                std::to_string(workers) + R"(}]}, "b": {"works": [{"type": "bursty", "workers": )" +
                std::to_string(workers) + "}]}}");
  };
  CHECK(crowd(R"("memory": "512M", )", 4000) ==
        "memory: out of memory: 8000 workers need about 781 MB, the guest has 512 MB");
  CHECK(crowd("", 2700) == "memory: out of memory: 5400 workers need about 527 MB, the guest has 512 MB");
  CHECK(crowd(R"("memory": "1G", )", 4000) == "ok");
  CHECK(crowd("", 2600) == "ok");
}

TEST_CASE("kinds and units are told") {
  CHECK(with(R"("duration": 5)") == "duration: expected a duration such as \"50ms\", got a whole number (5)");
  CHECK(with(R"("duration": "5")") ==
        "duration: \"5\" is not a duration such as \"50ms\" (units: ns us ms s m h)");
  CHECK(with(R"("memory": "lots")") ==
        "memory: \"lots\" is not a size such as \"64K\" (units: B K M G T, powers of 1024)");
  CHECK(outcome(R"({"topology": 4})") ==
        "topology: expected a topology such as \"1n2l2c1t\", or a table with nodes, got a whole number (4)");
  CHECK(with(R"("steps": [{"hold": true}])") ==
        "steps[1].hold: expected a duration such as \"3s\", a fraction or a k.hold value, got a boolean "
        "(true)");
  CHECK(with(R"("cgroups": {"web": {"cpuset": "0-1"}})") ==
        "cgroups.web.cpuset: expected a cpuset such as k.cpuset.llc(0), got a string (\"0-1\")");
  CHECK(with(R"("check": "x")") == "check: expected a function, got a string (\"x\")");
}

TEST_CASE("unknown names tell the nearest") {
  CHECK(with(R"("durration": "5s")") == "durration: unknown key (did you mean \"duration\"?)");
  CHECK(with(R"("expect": {"monitor": {"max_inbalance_ratio": 3}})") ==
        "expect.monitor.max_inbalance_ratio: unknown key (did you mean \"max_imbalance_ratio\"?)");
  CHECK(work(R"("type": "cpu_spn", "workers": 1)") ==
        "cgroups.web.works[1]: unknown type \"cpu_spn\" (did you mean \"cpu_spin\"?)");
  CHECK(work(R"("type": "bursty", "workers": 1, "brust": "5ms")") ==
        "cgroups.web.works[1].brust: unknown key (did you mean \"burst\"?)");
  CHECK(ops(R"({"type": "swap_cpuset", "a": "web", "b": "idle"})") ==
        "steps[1].ops[1]: unknown type \"swap_cpuset\" (did you mean \"swap_cpusets\"?)");
}

TEST_CASE("times have ranges") {
  CHECK(with(R"("duration": "0s")") == "duration: must be longer than 0, not 0s");
  CHECK(with(R"("duration": "25h")") == "duration: must be at most 24h, not 25h");
  CHECK(with(R"("monitor": {"period": "500us"})") == "monitor.period: must be from 1ms to 10s, not 500us");
  CHECK(with(R"("monitor": {"period": "11s"})") == "monitor.period: must be from 1ms to 10s, not 11s");
  CHECK(with(R"("steps": [{"hold": "9s"}])") ==
        "steps[1].hold: 9s is longer than the 5s left of the scenario's 5s");
}

TEST_CASE("workers are stated once, in whole groups") {
  CHECK(work(R"("type": "cpu_spin")") ==
        "cgroups.web.works[1]: workers or workers_pct must say how many workers there are");
  CHECK(work(R"("type": "cpu_spin", "workers": 1, "workers_pct": 1)") ==
        "cgroups.web.works[1].workers_pct: workers is set already; use one of the two");
  CHECK(work(R"("type": "cpu_spin", "workers": 0)") ==
        "cgroups.web.works[1].workers: must be from 1 to 16384, not 0");
  CHECK(work(R"("type": "pipe_io", "workers": 3)") ==
        "cgroups.web.works[1].workers: 3 is not a multiple of 2: pipe_io workers come in groups of 2");
  CHECK(work(R"("type": "futex_fan_out", "receivers": 3, "workers": 8)") == "ok");
  CHECK(work(R"("type": "cpu_spin", "workers_pct": 0)") ==
        "cgroups.web.works[1].workers_pct: must be a fraction of the CPUs, above 0 and at most 64");
}

TEST_CASE("a fraction of the CPUs is rounded up to whole groups") {
  WorkGroup group;
  group.workers_pct = 0.5;
  CHECK(worker_count(group, 3) == 2);
  group.work = PipeIo{};
  CHECK(worker_count(group, 5) == 4);
  group.workers = 6;
  CHECK(worker_count(group, 5) == 6);
}

TEST_CASE("policies, nice values and names have the kernel's ranges") {
  const std::string spin = R"("type": "cpu_spin", "workers": 1, )";
  CHECK(work(spin + R"("policy": {"type": "fifo", "priority": 100})") ==
        "cgroups.web.works[1].policy.priority: must be from 1 to 97, not 100");
  CHECK(work(spin + R"("policy": {"type": "rr", "priority": 0})") ==
        "cgroups.web.works[1].policy.priority: must be from 1 to 97, not 0");
  CHECK(work(spin +
             R"("policy": {"type": "deadline", "runtime": "5ms", "deadline": "4ms", "period": "10ms"})") ==
        "cgroups.web.works[1].policy.runtime: must be at most the deadline, 4ms");
  CHECK(work(spin +
             R"("policy": {"type": "deadline", "runtime": "5ms", "deadline": "20ms", "period": "10ms"})") ==
        "cgroups.web.works[1].policy.deadline: must be at most the period, 10ms");
  CHECK(work(spin + R"("policy": {"type": "deadline", "runtime": "5ms", "deadline": "20ms"})") ==
        "cgroups.web.works[1].policy: missing \"period\"");
  CHECK(work(spin + R"("nice": 20)") == "cgroups.web.works[1].nice: must be from -20 to 19, not 20");
  CHECK(work(spin + R"("comm": "a-name-too-long!")") ==
        "cgroups.web.works[1].comm: must be at most 15 bytes long");
}

TEST_CASE("work that would do nothing is refused") {
  CHECK(work(R"("type": "cpu_spin", "workers": 1, "iterations": 0)") ==
        "cgroups.web.works[1].iterations: must be above 0");
  CHECK(work(R"("type": "cache_pressure", "workers": 1, "size": "0B")") ==
        "cgroups.web.works[1].size: must be above 0");
  CHECK(work(R"("type": "sequence", "workers": 1)") ==
        "cgroups.web.works[1].phases: a sequence needs at least one phase");
  CHECK(work(R"("type": "nice_sweep", "workers": 1, "lowest": 5, "highest": 4)") ==
        "cgroups.web.works[1].lowest: must be at most highest, 4");
}

TEST_CASE("cgroup names name directories below the agent's root") {
  for (const auto* name : {"..", "a/..", "/a", "a//b", "a/", "", "cpu.max", "a\\u001bb", "."}) {
    const auto error = with(std::string(R"("cgroups": {"a": {}, ")") + name + R"(": {}})");
    CHECK_MESSAGE(error.find("is not a cgroup name: ") != std::string::npos, name << " gave: " << error);
  }
  CHECK(with(R"("cgroups": {"../x": {}})") ==
        "cgroups.../x: \"../x\" is not a cgroup name: \".\" and \"..\" are not allowed");
}

TEST_CASE("a nested cgroup needs a parent without workers") {
  CHECK(with(R"("cgroups": {"a": {}, "a/b": {}})") == "ok");
  CHECK(with(R"("cgroups": {"a/b": {}})") == "cgroups.a/b: cgroup \"a\" does not exist at this point");
  CHECK(with(R"("cgroups": {"a": {"works": [{"type": "cpu_spin", "workers": 1}]}, "a/b": {}})") ==
        "cgroups.a/b: cgroup \"a\" holds workers, so no cgroup can be inside it (cgroup v2 keeps tasks in "
        "leaves)");
  CHECK(
      with(
          R"("cgroups": {"a": {"cpuset": {"type": "exact", "cpus": "0"}}, "a/b": {"cpuset": {"type": "exact", "cpus": "1"}}})") ==
      "cgroups.a/b: no CPU of cgroup \"a/b\" (1) lies in the cpuset of its parent (0)");
}

TEST_CASE("limits have the kernel's ranges") {
  CHECK(with(R"("cgroups": {"a": {"cpu_weight": 0}})") ==
        "cgroups.a.cpu_weight: must be from 1 to 10000, not 0");
  CHECK(with(R"("cgroups": {"a": {"cpu_quota": 0}})") == "cgroups.a.cpu_quota: must be at least 0.01 CPUs");
  CHECK(with(R"("cgroups": {"a": {"pids_max": 0}})") == "cgroups.a.pids_max: must be above 0");
  CHECK(with(R"("cgroups": {"a": {"memory_high": "0K"}})") == "cgroups.a.memory_high: must be above 0");
}

TEST_CASE("a look at the cgroups' processes has a tag") {
  const auto tagged = [](const std::string& tag) {
    return with(R"("steps": [{"hold": 1, "ops": [{"type": "capture_cgroup_procs", "tag": ")" + tag +
                "\"}]}]");
  };
  CHECK(tagged("before") == "ok");
  CHECK(tagged("") == "steps[1].ops[1].tag: expected a tag such as \"before\"");
}

TEST_CASE("ops are checked against the cgroups that exist when they run") {
  CHECK(ops(R"({"type": "stop_cgroup", "cgroup": "wep"})") ==
        "steps[1].ops[1].cgroup: cgroup \"wep\" does not exist at this point (did you mean \"web\"?)");
  CHECK(ops(R"({"type": "remove_cgroup", "cgroup": "web"}, {"type": "stop_cgroup", "cgroup": "web"})")
            .starts_with("steps[1].ops[2].cgroup: cgroup \"web\" does not exist at this point"));
  CHECK(ops(R"({"type": "add_cgroup", "cgroup": "web", "def": {}})") ==
        "steps[1].ops[1].cgroup: cgroup \"web\" exists already");
  CHECK(ops(R"({"type": "add_cgroup", "cgroup": "web/api", "def": {}})")
            .starts_with("steps[1].ops[1].cgroup: cgroup \"web\" holds workers"));
  CHECK(
      ops(R"({"type": "add_cgroup", "cgroup": "new", "def": {}}, {"type": "move_all_tasks", "from": "web", "to": "new"},
               {"type": "remove_cgroup", "cgroup": "web"})") == "ok");
}

TEST_CASE("cpusets are swapped only between two cgroups that have one") {
  CHECK(ops(R"({"type": "swap_cpusets", "a": "web", "b": "idle"})") == "ok");
  CHECK(ops(R"({"type": "swap_cpusets", "a": "web", "b": "plain"})") ==
        "steps[1].ops[1]: cgroup \"plain\" has no cpuset at this point");
  CHECK(ops(R"({"type": "swap_cpusets", "a": "web", "b": "web"})") ==
        "steps[1].ops[1]: the two cgroups are the same");
  CHECK(
      ops(R"({"type": "clear_cpuset", "cgroup": "web"}, {"type": "swap_cpusets", "a": "web", "b": "idle"})") ==
      "steps[1].ops[2]: cgroup \"web\" has no cpuset at this point");
}

TEST_CASE("ops on workers need workers that can take part") {
  CHECK(ops(R"({"type": "set_affinity", "cgroup": "idle", "affinity": {"type": "single_cpu"}})") ==
        "steps[1].ops[1].cgroup: cgroup \"idle\" has no workers at this point");
  CHECK(ops(R"({"type": "set_affinity", "cgroup": "web", "affinity": {"type": "exact", "cpus": "2"}})") ==
        "steps[1].ops[1].affinity: exact(\"2\"): no CPU of 2 lies in the cpuset 0");
  CHECK(
      ops(R"({"type": "freeze_cgroup", "cgroup": "idle"}, {"type": "spawn", "cgroup": "idle", "work": {"type": "cpu_spin", "workers": 1}})") ==
      "steps[1].ops[2].cgroup: cgroup \"idle\" is frozen at this point");
}

TEST_CASE("a loop's ops must be repeatable") {
  const std::string loop = R"({"type": "loop", "interval": "1s"})";
  CHECK(ops(R"({"type": "swap_cpusets", "a": "web", "b": "idle"})", loop) == "ok");
  CHECK(ops(R"({"type": "add_cgroup", "cgroup": "x", "def": {}}, {"type": "remove_cgroup", "cgroup": "x"})",
            loop) == "ok");
  CHECK(ops(R"({"type": "add_cgroup", "cgroup": "x", "def": {}})", loop) ==
        "steps[1].ops[1].cgroup: cgroup \"x\" exists already (when the loop repeats)");
}

TEST_CASE("thresholds that nothing can meet are refused") {
  CHECK(
      with(R"("expect": {"monitor": {"max_imbalance_ratio": 0.5}})") ==
      "expect.monitor.max_imbalance_ratio: must be 1 or more, got a number (0.5): an even load has ratio 1");
  CHECK(with(R"("expect": {"monitor": {"sustained_samples": 0}})") ==
        "expect.monitor.sustained_samples: must be 1 or more, not 0");
  CHECK(with(R"("expect": {"max_spread_pct": 101})") ==
        "expect.max_spread_pct: must be at most 100, got a number (101)");
  CHECK(with(R"("expect": {"min_work_rate": -1})") ==
        "expect.min_work_rate: must be 0 or more, got a number (-1)");
}

TEST_CASE("names can be file names, kernel arguments can be typed") {
  CHECK(with(R"("name": "a/b")") ==
        "name: must have no \"/\", no control or invisible characters and no space at its ends");
  CHECK(with(R"("name": "two words")") == "ok");
  CHECK(with(R"("kernel_args": ["quiet", "a\nb"])") == "kernel_args[2]: must be printable and not empty");
}

TEST_CASE("the line of an error is that of the value, or of what encloses it") {
  Value tree{Value::Object{{"duration", Value{std::int64_t{5}, 7}}}, 3};
  CHECK(load_scenario(tree).error().line == 7);
  tree = Value{Value::Object{{"duration", Value{std::string("0s"), 9}}}, 3};
  CHECK(load_scenario(tree).error().line == 9);
  tree = Value{Value::Object{{"duration", Value{std::string("0s")}}}, 3};
  CHECK(load_scenario(tree).error().line == 3);
}

TEST_CASE("no loop turns between two acts are allowed where there is an act") {
  for (const char* type : {"mixed", "nice_sweep", "affinity_churn", "policy_churn"})
    CHECK(work(R"("type": ")" + std::string(type) + R"(", "workers": 1, "iterations": 0)") == "ok");
  for (const char* type : {"pipe_io", "futex_ping_pong", "cache_pipe"})
    CHECK(work(R"("type": ")" + std::string(type) + R"(", "workers": 2, "iterations": 0)") == "ok");
  CHECK(work(R"("type": "futex_fan_out", "workers": 5, "iterations": 0)") == "ok");
  CHECK(work(R"("type": "page_fault_churn", "workers": 1, "spin": 0)") == "ok");
  CHECK(work(R"("type": "page_fault_churn", "workers": 1, "touches": 0)") ==
        "cgroups.web.works[1].touches: must be above 0");
  CHECK(work(R"("type": "mutex_contention", "workers": 4, "hold": 0, "work": 0)") == "ok");
  CHECK(work(R"("type": "cpu_spin", "workers": 1, "iterations": 0)") ==
        "cgroups.web.works[1].iterations: must be above 0");
}

TEST_CASE("a later step can't use what ended with an earlier one, unless that keeps it") {
  const auto steps = [](const std::string& keep) {
    return with(R"("steps": [{"setup": {"late": {}}, "hold": "1s")" + keep +
                R"(}, {"ops": [{"type": "freeze_cgroup", "cgroup": "late"}]}])");
  };
  CHECK(steps("") ==
        "steps[2].ops[1].cgroup: cgroup \"late\" ended with step 1, whose setup made it: keep = true in that "
        "step lets it stay");
  CHECK(steps(R"(, "keep": true)") == "ok");
  CHECK(with(R"("steps": [{"setup": {"late": {}}, "hold": "1s"}, {"setup": {"late": {}}}])") == "ok");
}

}  // namespace ktstr::engine
