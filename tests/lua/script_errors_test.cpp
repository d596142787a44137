// What a person sees for each kind of mistake in a script.
#include <doctest/doctest.h>

#include <limits>

#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

struct Case {
  const char* script;
  const char* message;
};

const Case kCases[] = {
    // a name with a line end or a control character in it stays within its line
    {"return require 'ktstr'.scenario { cgroups = { ['a\\nb'] = {} } }",
     "foo.lua:1: cgroups.a\\nb: \"a\\nb\" is not a cgroup name: control and invisible characters are not "
     "allowed"},
    {"return require 'ktstr'.scenario { ['\\27[31m\\nok'] = 1 }", "foo.lua:1: \\x1b[31m\\nok: unknown key"},
    {"return require 'ktstr'.scenario { topology = '1n\\nok 1 forged' }",
     "foo.lua:1: topology: \"1n\\nok 1 forged\": not a topology such as \"1n2l4c2t\" (NUMA nodes, LLCs in "
     "all, "
     "cores per LLC, threads per core, each 1 to 8192)"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = {
    k.step { k.op.ctprof "before", hold = "1s" },
    k.step {
      k.op.ctprof "after",
      k.op.ctprof "before",
    },
  },
})",
     "foo.lua:7: steps[2].ops[2].tag: \"before\" is the tag of an earlier capture, whose file this one would "
     "replace"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = {
    k.step { k.op.ctproff "before" },
  },
})",
     "foo.lua:4: k.op has no \"ctproff\" (did you mean \"ctprof\"?)"},
    {R"(local k = require "ktstr"
return k.scenario {
  topology = "1n2l2c1t",
  cgroups = {
    web = {
      cpuset = k.cpuset.disjoint(2, 2),
    },
  },
})",
     "foo.lua:6: cgroups.web.cpuset: disjoint(2, 2): index must be below 2"},
    {R"(local k = require "ktstr"
return k.scenario {
  topology = "1n2l2c1t",
  durration = "5s",
})",
     "foo.lua:4: durration: unknown key (did you mean \"duration\"?)"},
    {R"(local k = require "ktstr"
return k.scenario {
  -- { a brace in a comment, duration = 1,
  description = "and } one in a string",
  check = function(report) local t = { duration = 2 } if t then return nil, "end" end end,
  duration = 5,
})",
     "foo.lua:6: duration: expected a duration such as \"50ms\", got a whole number (5)"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { web = { works = {
    k.work.bursty { workers = 2 },
    k.work.cpu_spin {
      workers = 2,
      iteration = 4,
    },
  } } },
})",
     "foo.lua:7: cgroups.web.works[2].iteration: unknown key (did you mean \"iterations\"?)"},
    {R"(local k = require "ktstr"
local web = { works = { k.work.pipe_io {
  workers = 3 } } }
return k.scenario { cgroups = { web = web } })",
     "foo.lua:3: cgroups.web.works[1].workers: 3 is not a multiple of 2: pipe_io workers come in groups of "
     "2"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { a = {}, b = {} },
  steps = {
    k.step { hold = "1s" },
    k.step {
      k.op.stop_cgroup "a",
      k.op.swap_cpusets("a", "b"),
      hold = "1s",
    },
  },
})",
     "foo.lua:8: steps[2].ops[2]: cgroup \"a\" has no cpuset at this point\n"
     "foo.lua:8: steps[2].ops[2]: cgroup \"b\" has no cpuset at this point"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = {
    k.step { hold = "1s" },
    k.step {
      hold = "50s" },
  },
})",
     "foo.lua:6: steps[2].hold: 50s is longer than the 4s left of the scenario's 5s"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = {
    ["../x"] = {},
  },
})",
     "foo.lua:4: cgroups.../x: \"../x\" is not a cgroup name: \".\" and \"..\" are not allowed"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { web = { cpuset = k.cpuset.lcl(0) } },
})",
     "foo.lua:3: k.cpuset has no \"lcl\" (did you mean \"llc\"?)"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = { k.step { k.op.swap_cpusets("a", "b", "c") } },
})",
     "foo.lua:3: k.op.swap_cpusets: takes a, b (in this order, or as one table of names)"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { web = { works = { k.work.cpu_spin(4) } } },
})",
     "foo.lua:3: k.work.cpu_spin: takes one table: k.work.cpu_spin { ... }"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { "web", batch = {} },
})",
     "foo.lua:3: cgroups: mixes list items with named members"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = { k.step {
    k.op.write_bpf_map("ktstr.bss", "stall_tid"),
  } },
})",
     "foo.lua:4: steps[1].ops[1]: missing \"value\""},
    {R"(local k = require "ktstr"
return k.scenario { steps = { k.step { k.op.write_bpf_map("ktstr.bss", "stall_tid", 2i) } } })",
     "foo.lua:2: steps[1].ops[1].value: a cdata can't be used here"},
    {R"(local k = require "ktstr"
return k.scenario { duration = coroutine.create(print) })",
     "foo.lua:2: duration: a thread can't be used here"},
    {R"(local k = require "ktstr"
local loop = {}
loop.loop = loop
return k.scenario { cgroups = loop })",
     "foo.lua:4: "
     "cgroups.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop."
     "loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop.loop: tables are nested deeper than 32"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { web = { works = k.work.cpu_spin { workers = 1 } } },
})",
     "foo.lua:3: cgroups.web.works: expected a list, got one cpu_spin: a list of one has braces of its own, "
     "works = { ... }"},
    {R"(local k = require "ktstr"
return k.scenario {
  cgroups = { web = k.work.cpu_spin { workers = 1 } },
})",
     "foo.lua:3: cgroups.web: expected a cgroup, got one cpu_spin: workers stand in a list, "
     "{ works = { k.work.cpu_spin { ... } } }"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = k.step { hold = "1s" },
})",
     "foo.lua:3: steps: expected a list, got a table: a list of one has braces of its own, steps = { ... }"},
    {R"(local k = require "ktstr"
return k.scenario {
  steps = {
    k.step { hold = "1s" },
    k.op.swap_cpusets("a", "b"),
  },
})",
     "foo.lua:5: steps[2]: expected a step, got one swap_cpusets: ops stand in a step, "
     "k.step { k.op.swap_cpusets(...), hold = \"1s\" }"},
    {R"(local k = require "ktstr"
return k.scenario {
  duration = "1s",
  k.op.swap_cpusets("a", "b"),
})",
     "foo.lua:2: a scenario has no list items: ops stand in a step, steps = { k.step { k.op... } }"},
    {R"(local k = require "ktstr"
return k.scenario {
  duration = 5,
  topolgy = "1n1l2c1t",
  cgroups = { web = { works = { k.work.cpu_spin { workers = "two", colour = 1 }, 7 } } },
})",
     "foo.lua:4: topolgy: unknown key (did you mean \"topology\"?)\n"
     "foo.lua:3: duration: expected a duration such as \"50ms\", got a whole number (5)\n"
     "foo.lua:5: cgroups.web.works[1].colour: unknown key (known: iterations, workers, workers_pct, "
     "affinity, policy, nice, comm)\n"
     "foo.lua:5: cgroups.web.works[1].workers: expected a whole number, got a string (\"two\")\n"
     "foo.lua:5: cgroups.web.works[2]: expected work such as k.work.cpu_spin { workers = 2 }, got a whole "
     "number (7)"},
    {R"(local k = require "ktstr"
return k.scenario {
  topology = "1n1l4c1t",
  duration = "0s",
  kernel_args = { "" },
  cgroups = {
    web = { cpuset = k.cpuset.disjoint(2, 2), works = { k.work.pipe_io { workers = 3 } } },
    batch = { cpu_weight = 0 },
  },
  steps = { k.step {
    k.op.stop_cgroup "wbe",
    k.op.set_cpuset("web", k.cpuset.llc(0)),
    k.op.stop_cgroup "wbe",
    k.op.remove_cgroup "btach",
  } },
  expect = { max_spread_pct = 200, monitor = { max_imbalance_ratio = 0.5 } },
})",
     "foo.lua:5: kernel_args[1]: must be printable and not empty\n"
     "foo.lua:4: duration: must be longer than 0, not 0s\n"
     "foo.lua:8: cgroups.batch.cpu_weight: must be from 1 to 10000, not 0\n"
     "foo.lua:7: cgroups.web.cpuset: disjoint(2, 2): index must be below 2\n"
     "foo.lua:7: cgroups.web.works[1].workers: 3 is not a multiple of 2: pipe_io workers come in groups of "
     "2\n"
     "foo.lua:11: steps[1].ops[1].cgroup: cgroup \"wbe\" does not exist at this point (did you mean "
     "\"web\"?)\n"
     "foo.lua:14: steps[1].ops[4].cgroup: cgroup \"btach\" does not exist at this point (did you mean "
     "\"batch\"?)\n"
     "foo.lua:16: expect.max_spread_pct: must be at most 100, got a number (200)\n"
     "foo.lua:16: expect.monitor.max_imbalance_ratio: must be 1 or more, got a number (0.5): an even load "
     "has "
     "ratio 1"},
    {"return 5", "foo.lua: expected the script to return k.scenario { ... }, got number"},
    {"return {}", "foo.lua: expected the script to return k.scenario { ... }, got table"},
    {"\n\nreturn = 5", "foo.lua:3: unexpected symbol near '='"},
    {"local t = nil\nreturn t.x", "foo.lua:2: attempt to index local 't' (a nil value)"},
    {"error('stop here')", "foo.lua:1: stop here"},
    {"error({})", "foo.lua: the error is a table, not a message"},
};

}  // namespace

TEST_CASE("every mistake is told with file, line, path and reason") {
  const Bundle bundle;
  for (const auto& [script, message] : kCases) CHECK_MESSAGE(bundle.outcome(script) == message, script);
}

TEST_CASE("a whole number of 64 bits keeps every digit") {
  const Bundle bundle;
  const auto host = ScriptHost::load(bundle.write("foo.lua", R"(local k = require "ktstr"
return k.scenario { steps = { k.step {
  k.op.write_bpf_map("ktstr.bss", "a", 18446744073709551615ULL),
  k.op.write_bpf_map("ktstr.bss", "b", -9223372036854775807LL - 1),
  k.op.write_bpf_map("ktstr.bss", "c", -7),
} } })"));
  REQUIRE_MESSAGE(host.has_value(), host.error().message);
  const auto value = [&](std::size_t index) {
    return std::get<engine::WriteBpfMapOp>(host->scenario().steps[0].ops.at(index)).value.data;
  };
  CHECK(std::get<std::uint64_t>(value(0)) == std::numeric_limits<std::uint64_t>::max());
  CHECK(std::get<std::int64_t>(value(1)) == std::numeric_limits<std::int64_t>::min());
  CHECK(std::get<std::int64_t>(value(2)) == -7);
}

TEST_CASE("a missing file and a directory are no scripts") {
  const Bundle bundle;
  const auto missing = ScriptHost::load(bundle.directory() / "none.lua");
  REQUIRE_FALSE(missing.has_value());
  CHECK(bundle.shortened(missing.error().message) == "none.lua: no such file");
  const auto directory = ScriptHost::load(bundle.directory());
  REQUIRE_FALSE(directory.has_value());
  CHECK(directory.error().message.ends_with(": not a file"));
}

TEST_CASE("a long path is never shortened") {
  const Bundle bundle;
  const std::string deep = std::string(80, 'd') + "/" + std::string(80, 'e') + "/foo.lua";
  const auto host = ScriptHost::load(bundle.write(deep, "error('x')"));
  REQUIRE_FALSE(host.has_value());
  CHECK(bundle.shortened(host.error().message) == deep + ":1: x");
}

TEST_CASE("both spellings of a constructor make the same") {
  const Bundle bundle;
  const auto host = ScriptHost::load(bundle.write("foo.lua", R"(local k = require "ktstr"
return k.scenario {
  topology = "1n2l2c1t",
  cgroups = {
    a = { cpuset = k.cpuset.disjoint(1, 2) },
    b = { cpuset = k.cpuset.disjoint { index = 1, of = 2 } },
  },
  steps = { k.step { hold = k.hold.loop("1s", "2s") }, k.step { hold = k.hold.rest() } },
})"));
  REQUIRE(host.has_value());
  const auto& cgroups = host->scenario().cgroups;
  const auto& a = std::get<engine::DisjointCpuset>(*cgroups.at("a").cpuset);
  const auto& b = std::get<engine::DisjointCpuset>(*cgroups.at("b").cpuset);
  CHECK(a.index == b.index);
  CHECK(a.of == b.of);
  CHECK(std::get<engine::LoopHold>(host->scenario().steps[0].hold).duration ==
        Duration(std::chrono::seconds(2)));
  CHECK(std::holds_alternative<engine::RestHold>(host->scenario().steps[1].hold));
}

TEST_CASE("an exact set is a list of numbers or the kernel's notation") {
  const Bundle bundle;
  const auto exact = [&](const std::string& argument) {
    const auto script =
        "local k = require \"ktstr\"\nreturn k.scenario {\n  topology = \"1n2l2c1t\",\n  cgroups = { a = { "
        "cpuset = k.cpuset.exact" +
        argument + " } },\n}";
    const auto host = ScriptHost::load(bundle.write("foo.lua", script));
    if (!host) return bundle.shortened(host.error().message);
    return std::get<engine::ExactCpuset>(*host->scenario().cgroups.at("a").cpuset).cpus.to_string();
  };
  CHECK(exact("{ 1, 2, 3 }") == "1-3");
  CHECK(exact("({ 0, 2 })") == "0,2");
  CHECK(exact(" \"1-3\"") == "1-3");
  CHECK(exact("{ cpus = \"3\" }") == "3");
  CHECK(exact("{ 1, \"x\" }") == "foo.lua:4: k.cpuset.exact: expected CPU numbers, got string in place 2");
  CHECK(exact("{ 1.5 }") == "foo.lua:4: k.cpuset.exact: expected CPU numbers, got number in place 1");
  CHECK(exact("{ -1 }") == "foo.lua:4: k.cpuset.exact: expected CPU numbers, got number in place 1");
}

TEST_CASE("a scenario without a name has its file's") {
  const Bundle bundle;
  const auto host = ScriptHost::load(bundle.write("swap.lua", "return require('ktstr').scenario {}"));
  REQUIRE(host.has_value());
  CHECK(host->scenario().name == "swap");
}

TEST_CASE("all independent mistakes of one work group, cgroup and scheduler are told at once") {
  const Bundle bundle;
  const auto told = bundle.outcome(R"(local k = require "ktstr"
return k.scenario {
  scheduler = k.scheduler { path = "/nonexistent", sysctls = { ["/a"] = "1" }, watchdog_timeout = "1ms",
                            expect = { scheduler_error = { contains = "" } }, files = { [""] = "x" } },
  cgroups = { a = { cpu_weight = 0, pids_max = 0, cpu_quota = 0, works = {
    k.work.page_fault_churn { workers = 0, nice = 99, comm = "0123456789abcdef", touches = 0 },
  } } } })");
  for (const auto* mistake :
       {"scheduler.sysctls./a: is no sysctl", "scheduler.watchdog_timeout: must be from",
        "scheduler.expect.scheduler_error.contains: must not be empty", "scheduler.path: ",
        "scheduler.files.: is no name of a file", "cgroups.a.cpu_weight: must be from 1 to 10000",
        "cgroups.a.pids_max: must be above 0", "cgroups.a.cpu_quota: must be at least 0.01",
        "cgroups.a.works[1].workers: must be from 1", "cgroups.a.works[1].nice: must be from -20",
        "cgroups.a.works[1].comm: must be at most 15", "cgroups.a.works[1].touches: must be above 0"})
    CHECK_MESSAGE(told.find(mistake) != std::string::npos, (std::string(mistake) + " not in: " + told));
}

TEST_CASE("all independent mistakes of one policy and of one work type are told at once") {
  const Bundle bundle;
  CHECK(bundle.outcome(R"(local k = require "ktstr"
return k.scenario {
  cgroups = { a = { works = {
    k.work.nice_sweep { workers = 1, lowest = -21, highest = 20,
      policy = k.policy.deadline("1ns", "2ms", "1ms") },
    k.work.nice_sweep { workers = 1, lowest = 2, highest = 1,
      policy = k.policy.deadline("3ms", "2ms", "1ms") },
    k.work.sequence { workers = 1, phases = {
      k.phase.spin "0s",
      k.phase.sleep "1ms",
      k.phase.yield "0s",
    } },
  } } },
})") == "foo.lua:4: cgroups.a.works[1].lowest: must be from -20 to 19, not -21\n"
        "foo.lua:4: cgroups.a.works[1].highest: must be from -20 to 19, not 20\n"
        "foo.lua:5: cgroups.a.works[1].policy.runtime: must be at least 1024ns\n"
        "foo.lua:5: cgroups.a.works[1].policy.deadline: must be at most the period, 1ms\n"
        "foo.lua:6: cgroups.a.works[2].lowest: must be at most highest, 1\n"
        "foo.lua:7: cgroups.a.works[2].policy.runtime: must be at most the deadline, 2ms\n"
        "foo.lua:7: cgroups.a.works[2].policy.deadline: must be at most the period, 1ms\n"
        "foo.lua:9: cgroups.a.works[3].phases[1].duration: must be longer than 0\n"
        "foo.lua:11: cgroups.a.works[3].phases[3].duration: must be longer than 0");
}

TEST_CASE("all independent mistakes of one op are told at once") {
  const Bundle bundle;
  CHECK(bundle.outcome(R"(local k = require "ktstr"
local wrong = k.work.cpu_spin { workers = 1, nice = 99 }
return k.scenario {
  cgroups = { a = {}, b = {} },
  steps = { k.step {
    k.op.write_bpf_map("a b", "", {}),
    k.op.read_bpf_map("a b", "x y", ""),
    k.op.pin_bpf_map("a b", "c d"),
    k.op.spawn("none", wrong),
    k.op.set_cpuset("nobody", k.cpuset.llc(7)),
    k.op.set_affinity("b", k.affinity.exact "9"),
    k.op.swap_cpusets("a", "y"),
    k.op.move_all_tasks("v", "w"),
  } },
})") == "foo.lua:6: steps[1].ops[1].map: \"a b\" can't be a map's name: letters, digits, \"_\" and \".\"\n"
        "foo.lua:6: steps[1].ops[1].variable: \"\" is no variable: expected one such as \"counter\" or "
        "\"tuning.steps[2]\"\n"
        "foo.lua:6: steps[1].ops[1].value: expected true or false, a number or a string, got a table\n"
        "foo.lua:7: steps[1].ops[2].map: \"a b\" can't be a map's name: letters, digits, \"_\" and \".\"\n"
        "foo.lua:7: steps[1].ops[2].name: expected a name\n"
        "foo.lua:7: steps[1].ops[2].variable: \"x y\" is no variable: expected one such as \"counter\" or "
        "\"tuning.steps[2]\"\n"
        "foo.lua:8: steps[1].ops[3].map: \"a b\" can't be a map's name: letters, digits, \"_\" and \".\"\n"
        "foo.lua:8: steps[1].ops[3].name: \"c d\" can't be a map's name: letters, digits, \"_\" and \".\"\n"
        "foo.lua:2: steps[1].ops[4].work.nice: must be from -20 to 19, not 99\n"
        "foo.lua:9: steps[1].ops[4].cgroup: cgroup \"none\" does not exist at this point (known: a, b)\n"
        "foo.lua:10: steps[1].ops[5].cpuset: llc(7): index must be below 1, the topology's LLCs\n"
        "foo.lua:10: steps[1].ops[5].cgroup: cgroup \"nobody\" does not exist at this point (known: a, b)\n"
        "foo.lua:11: steps[1].ops[6].cgroup: cgroup \"b\" has no workers at this point\n"
        "foo.lua:11: steps[1].ops[6].affinity: exact(\"9\"): the topology has only CPUs 0-0\n"
        "foo.lua:12: steps[1].ops[7]: cgroup \"a\" has no cpuset at this point\n"
        "foo.lua:12: steps[1].ops[7]: cgroup \"y\" does not exist at this point (did you mean \"a\"?)\n"
        "foo.lua:13: steps[1].ops[8]: cgroup \"v\" does not exist at this point (did you mean \"a\"?)\n"
        "foo.lua:13: steps[1].ops[8]: cgroup \"w\" does not exist at this point (did you mean \"a\"?)");
}

TEST_CASE("a cgroup's mistake hides those of its workers and later ops only where they may follow from it") {
  const Bundle bundle;
  CHECK(bundle.outcome(R"(local k = require "ktstr"
local function spin(nice) return k.work.cpu_spin { workers = 1, nice = nice, affinity = k.affinity.exact "9" } end
return k.scenario {
  cgroups = {
    a = {
      cpu_weight = 0,
      works = { spin(20) },
    },
    ["b/../c"] = { works = { spin(21) } },
  },
  steps = { k.step {
    k.op.spawn("a", spin(22)),
    k.op.set_cpuset("a", k.cpuset.llc(7)),
    k.op.add_cgroup("a", { cpu_weight = 0, cpuset = k.cpuset.llc(8), works = { spin(23) } }),
    k.op.stop_cgroup("b/../c"),
  } },
})") == "foo.lua:6: cgroups.a.cpu_weight: must be from 1 to 10000, not 0\n"
        "foo.lua:7: cgroups.a.works[1].nice: must be from -20 to 19, not 20\n"
        "foo.lua:2: cgroups.a.works[1].affinity: exact(\"9\"): the topology has only CPUs 0-0\n"
        "foo.lua:9: cgroups.b/../c: \"b/../c\" is not a cgroup name: \".\" and \"..\" are not allowed\n"
        "foo.lua:9: cgroups.b/../c.works[1].nice: must be from -20 to 19, not 21\n"
        "foo.lua:12: steps[1].ops[1].work.nice: must be from -20 to 19, not 22\n"
        "foo.lua:13: steps[1].ops[2].cpuset: llc(7): index must be below 1, the topology's LLCs\n"
        "foo.lua:14: steps[1].ops[3].def.cpu_weight: must be from 1 to 10000, not 0\n"
        "foo.lua:14: steps[1].ops[3].def.cpuset: llc(8): index must be below 1, the topology's LLCs\n"
        "foo.lua:14: steps[1].ops[3].def.works[1].nice: must be from -20 to 19, not 23");
}

TEST_CASE("all independent mistakes of a scenario's lists are told at once") {
  const Bundle bundle;
  CHECK(bundle.outcome(R"(local k = require "ktstr"
return k.scenario {
  kernel_args = { "", "quiet", "" },
  steps = { k.step { hold = "0s" }, k.step { hold = 2 } },
})") == "foo.lua:3: kernel_args[1]: must be printable and not empty\n"
        "foo.lua:3: kernel_args[3]: must be printable and not empty\n"
        "foo.lua:4: steps[1].hold: must be longer than 0\n"
        "foo.lua:4: steps[2].hold: a fraction must be above 0 and at most 1");
  CHECK(bundle.outcome(R"(local k = require "ktstr"
return k.scenario {
  cgroups = { 1, batch = coroutine.create(print) },
})") == "foo.lua:3: cgroups.batch: a thread can't be used here\n"
        "foo.lua:3: cgroups: mixes list items with named members");
}

}  // namespace ktstr::lua
