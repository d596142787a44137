// Schedulers in a scenario: what a script may write, what it means, and what is refused before anything
// boots.
#include <doctest/doctest.h>

#include "engine/scenario/load.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

namespace {

/// A folder with two programs, scx_one and scx_two.
struct Folder {
  test::TemporaryDirectory directory;
  ProgramPlaces places{.base = directory.path(), .directories = {directory.path()}};

  Folder() {
    for (const auto* name : {"scx_one", "scx_two"}) fs::copy_file("/bin/true", directory.path() / name);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return fs::canonical(directory.path()) / name;
  }
  [[nodiscard]] tl::expected<Scenario, ReadError> load(const std::string& json) const {
    return load_scenario(*parse_json(json), places);
  }
  [[nodiscard]] std::string shortened(std::string text) const {
    for (const auto folder = directory.path().string() + "/"; text.find(folder) != std::string::npos;)
      text.erase(text.find(folder), folder.size());
    return text;
  }
  /// "ok", or the first error with the folder left out.
  [[nodiscard]] std::string outcome(const std::string& json) const {
    const auto scenario = load(json);
    return scenario ? "ok" : shortened(scenario.error().text());
  }
  /// All errors.
  [[nodiscard]] Names mistakes(const std::string& json) const {
    const auto scenario = load(json);
    REQUIRE_FALSE(scenario.has_value());
    Names all{shortened(scenario.error().text())};
    for (const auto& other : scenario.error().others) all.push_back(shortened(other.text()));
    return all;
  }
  [[nodiscard]] Scenario good(const std::string& json) const {
    auto scenario = load(json);
    REQUIRE_MESSAGE(scenario.has_value(), scenario.error().text());
    return *scenario;
  }
};

/// A scenario whose scheduler has these members.
std::string scheduler(const std::string& members) {
  return R"({"scheduler": {)" + members + "}}";
}
/// A scenario with scx_one whose only step runs these ops.
std::string run_ops(const std::string& list, const std::string& more = R"("scheduler": "scx_one", )") {
  return "{" + more + R"("steps": [{"ops": [)" + list + "]}]}";
}

}  // namespace

TEST_CASE("a string is a program's name or path, and gives the scheduler its name") {
  const Folder folder;
  for (const auto* text : {"scx_one", "./scx_one"}) {
    const auto scenario = folder.good(std::string(R"({"scheduler": ")") + text + "\"}");
    CHECK(scenario.scheduler->path == folder.path("scx_one"));
    CHECK(scenario.scheduler->name == "scx_one");
  }
}

TEST_CASE("a table with a name alone is looked for by it") {
  const Folder folder;
  CHECK(folder.good(scheduler(R"("name": "scx_two")")).scheduler->path == folder.path("scx_two"));
}

TEST_CASE("a string in an op may mean a scheduler that is defined elsewhere") {
  const Folder folder;
  const auto scenario = folder.good(run_ops(
      R"({"type": "replace_scheduler", "scheduler": {"name": "v2", "path": "scx_two", "args": ["-x"]}},
             {"type": "replace_scheduler", "scheduler": "v1"}, {"type": "replace_scheduler", "scheduler": "v2"})",
      R"("scheduler": {"name": "v1", "path": "scx_one", "args": ["-y"]}, )"));
  const auto& all = scenario.steps[0].ops;
  CHECK(std::get<ReplaceSchedulerOp>(all[1]).scheduler.path == folder.path("scx_one"));
  CHECK(std::get<ReplaceSchedulerOp>(all[1]).scheduler.args == Names{"-y"});
  CHECK(std::get<ReplaceSchedulerOp>(all[2]).scheduler.args == Names{"-x"});
}

TEST_CASE("active flags add their arguments, in their order") {
  const Folder folder;
  const auto scenario = folder.good(scheduler(
      R"("path": "scx_one", "args": ["-v"], "active": ["steal", "llc"],
         "flags": {"llc": {"args": ["--llc"]}, "steal": {"args": ["--steal", "2"], "requires": ["llc"]}})"));
  CHECK(arguments(*scenario.scheduler) == Names{"-v", "--steal", "2", "--llc"});
}

TEST_CASE("profiles are all sets of flags in which each has what it requires") {
  SchedulerDef def;
  def.flags["a"] = {};
  def.flags["b"] = {.args = {}, .needs = {"a"}};
  def.flags["c"] = {.args = {}, .needs = {"b"}};
  def.flags["d"] = {};
  const auto profiles = flag_profiles(def);
  REQUIRE(profiles);
  CHECK(
      *profiles ==
      std::vector<Names>{
          {}, {"a"}, {"d"}, {"a", "b"}, {"a", "d"}, {"a", "b", "c"}, {"a", "b", "d"}, {"a", "b", "c", "d"}});
  for (std::size_t i = 0; i <= kMostFlags; ++i) def.flags["f" + std::to_string(i)] = {};
  CHECK_FALSE(flag_profiles(def));
}

TEST_CASE("control commands are echo with one value and one file of the kernel's") {
  const auto command = parse_control_command("  echo  NO_PLACE_LAG  > /sys/kernel/debug/sched/features ");
  REQUIRE(command);
  CHECK(command->file == "/sys/kernel/debug/sched/features");
  CHECK(command->value == "NO_PLACE_LAG");
  for (const auto* bad :
       {"", "echo 1", "echo > /sys/x", "cat /sys/x", "echo 1 > /etc/passwd", "echo 1 > /sys/../etc/x",
        "echo $(reboot) > /sys/x", "echo 1 > /sys/x; reboot", "echo 1 >> /sys/x"})
    CHECK_MESSAGE(!parse_control_command(bad), bad);
}

TEST_CASE("a configuration file is found beside the scenario and must be asked for") {
  const Folder folder;
  folder.directory.write("one.toml", "x = 1");
  const auto scenario =
      folder.good(scheduler(R"("path": "scx_one", "args": ["--config={config}"], "config": "one.toml")"));
  CHECK(*scenario.scheduler->config == (folder.directory.path() / "one.toml").string());
  CHECK(folder.outcome(scheduler(R"("path": "scx_one", "config": "one.toml")")) ==
        "scheduler.config: no argument holds \"{config}\", so the scheduler would not see it");
  CHECK(folder.outcome(scheduler(R"("path": "scx_one", "args": ["{config}"])")) ==
        "scheduler.args: \"{config}\" stands for a file, and `config` names none");
  CHECK(folder.outcome(scheduler(R"("path": "scx_one", "args": ["{config}"], "config": "two.toml")")) ==
        "scheduler.config: there is no file two.toml");
}

TEST_CASE("mistakes are told with their place") {
  const Folder folder;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {scheduler(R"("path": "scx_onee")"),
       "scheduler.path: there is no program \"scx_onee\" beside the scenario, beside ktstr or on PATH (did "
       "you mean "
       "\"scx_one\"?)"},
      {R"({"scheduler": "./nothing_like_it"})", "scheduler: there is no program nothing_like_it"},
      {R"({"scheduler": 5})",
       "scheduler: expected a scheduler: a path, a name or k.scheduler { ... }, got a whole number (5)"},
      {scheduler(""), "scheduler: names neither a path nor a name"},
      {scheduler(R"("path": "scx_one", "pth": "x")"), "scheduler.pth: unknown key (did you mean \"path\"?)"},
      {scheduler(R"("path": "scx_one", "flags": {"llc": {}}, "active": ["lcc"])"),
       "scheduler.active[1]: unknown flag \"lcc\" (did you mean \"llc\"?)"},
      {scheduler(R"("path": "scx_one", "flags": {"a": {"requires": ["b"]}, "b": {}}, "active": ["a"])"),
       "scheduler.active[1]: the flag \"a\" requires \"b\", which is not active"},
      {scheduler(R"("path": "scx_one", "flags": {"a": {"requires": ["x"]}})"),
       "scheduler.flags.a.requires[1]: unknown flag \"x\" (did you mean \"a\"?)"},
      {scheduler(R"("path": "scx_one", "flags": {"a": {}}, "active": ["a", "a"])"),
       "scheduler.active[1]: the flag \"a\" is named twice"},
      {scheduler(R"("path": "scx_one", "sysctls": {"../etc/passwd": "1"})"),
       "scheduler.sysctls.../etc/passwd: is no sysctl: names are like \"kernel.sched_schedstats\""},
      {scheduler(R"("path": "scx_one", "disable": ["echo 0 > /sys/x"])"),
       "scheduler.disable: has no `enable` to undo"},
      {scheduler(R"("path": "scx_one", "enable": ["echo 0 > /sys/x"])"),
       "scheduler.path: a scheduler with `enable` commands is the kernel's own: no path"},
      {scheduler(R"("path": "scx_one", "expect": {"scheduler_error": {"matches": "("}})"),
       "scheduler.expect.scheduler_error.matches: is no regular expression: Unmatched ( or \\("},
      {R"({"expect": {"scheduler_error": {"contains": ""}}})",
       "expect.scheduler_error.contains: must not be empty"},
  };
  for (const auto& [json, message] : cases) CHECK_MESSAGE(folder.outcome(json) == message, json);
}

TEST_CASE("all independent mistakes of one scheduler are told") {
  const Folder folder;
  CHECK(folder.mistakes(
            scheduler(R"("path": "scx_one", "flags": {"a": {"requires": ["b", "c", "x", "y"]}, "b": {},
            "c": {}}, "active": ["a", "a", "d"], "sysctls": {"/a": "1", "/b": "1"},
            "files": {"a/": "none", "c": "none"}, "min_cpus": 99, "min_llcs": 99,
            "expect": {"scheduler_error": {"contains": "", "matches": "("}})")) ==
        Names{"scheduler.sysctls./a: is no sysctl: names are like \"kernel.sched_schedstats\"",
              "scheduler.sysctls./b: is no sysctl: names are like \"kernel.sched_schedstats\"",
              "scheduler.flags.a.requires[3]: unknown flag \"x\" (did you mean \"a\"?)",
              "scheduler.flags.a.requires[4]: unknown flag \"y\" (did you mean \"a\"?)",
              "scheduler.active[1]: the flag \"a\" is named twice",
              "scheduler.active[1]: the flag \"a\" requires \"b\", which is not active",
              "scheduler.active[1]: the flag \"a\" requires \"c\", which is not active",
              "scheduler.active[3]: unknown flag \"d\" (did you mean \"a\"?)",
              "scheduler.expect.scheduler_error.contains: must not be empty",
              "scheduler.expect.scheduler_error.matches: is no regular expression: Unmatched ( or \\(",
              "scheduler.files.a/: is no name of a file: write \"layers.json\" or \"/etc/layers.json\"",
              "scheduler.files.a/: there is no file none", "scheduler.files.c: there is no file none",
              "scheduler.min_cpus: the topology 1n1l1c1t has 1 CPUs, and this scheduler takes at least 99",
              "scheduler.min_llcs: the topology 1n1l1c1t has 1 LLCs, and this scheduler takes at least 99"});
  CHECK(folder.mistakes(scheduler(R"("path": "scx_one", "config": "none")")) ==
        Names{"scheduler.config: no argument holds \"{config}\", so the scheduler would not see it",
              "scheduler.config: there is no file none"});
}

TEST_CASE("all mistakes of one of the kernel's own schedulers are told") {
  const Folder folder;
  const auto no_command = [](const std::string& command) {
    return "\"" + command +
           "\" is no command that a guest can carry out: it must read \"echo VALUE > FILE\", with a file "
           "below /proc/ or /sys/";
  };
  CHECK(
      folder.mistakes(scheduler(R"("path": "p", "args": ["x"], "watchdog_timeout": "1s",
            "handover": "preloaded", "enable": ["reboot", "halt"], "disable": ["reboot"])")) ==
      Names{"scheduler.path: a scheduler with `enable` commands is the kernel's own: no path",
            "scheduler: a scheduler with `enable` commands needs a name",
            "scheduler: a scheduler with `enable` commands has no program that could take arguments or files",
            "scheduler.watchdog_timeout: the kernel's own schedulers have no such watchdog",
            "scheduler.handover: a scheduler with `enable` commands has no program to preload",
            "scheduler.enable[1]: " + no_command("reboot"), "scheduler.enable[2]: " + no_command("halt"),
            "scheduler.disable[1]: " + no_command("reboot")});
}

TEST_CASE("ops on schedulers are followed through the steps") {
  const Folder folder;
  const std::string attach = R"({"type": "attach_scheduler", "scheduler": "scx_one"})";
  const std::string replace = R"({"type": "replace_scheduler", "scheduler": "scx_two"})";
  const std::string detach = R"({"type": "detach_scheduler"})";
  const std::string restart = R"({"type": "restart_scheduler"})";
  CHECK(folder.outcome(run_ops(replace + "," + restart + "," + detach + "," + attach)) == "ok");
  CHECK(folder.outcome(run_ops(attach)) ==
        "steps[1].ops[1]: a scheduler is attached already: replace_scheduler puts another in its place");
  CHECK(folder.outcome(run_ops(detach + "," + detach)) == "steps[1].ops[2]: no scheduler is attached here");
  CHECK(folder.outcome(run_ops(replace, "")) ==
        "steps[1].ops[1]: no scheduler is attached here: attach_scheduler starts one");
  CHECK(folder.outcome(run_ops(restart, "")) ==
        "steps[1].ops[1]: no scheduler is attached here: attach_scheduler starts one");
  CHECK(folder.outcome(
            R"({"steps": [{"ops": [{"type": "attach_scheduler", "scheduler": "scx_one"}],
                "hold": {"type": "loop", "interval": "1s"}}]})") ==
        "steps[1].ops[1]: a scheduler is attached already: replace_scheduler puts another in its place (when "
        "the loop "
        "repeats)");
}

TEST_CASE("one of the kernel's own has commands instead of a program") {
  const Folder folder;
  const auto scenario = folder.good(
      scheduler(R"("name": "lag", "enable": ["echo PLACE_LAG > /sys/kernel/debug/sched/features"])"));
  CHECK_FALSE(scenario.scheduler->path);
  CHECK(folder.outcome(scheduler(R"("enable": ["echo 1 > /sys/x"])")) ==
        "scheduler: a scheduler with `enable` commands needs a name");
  CHECK(folder.outcome(scheduler(R"("name": "x", "enable": ["reboot"])"))
            .starts_with("scheduler.enable[1]: \"reboot\" is no command that a guest can carry out"));
}

TEST_CASE("a scheduler may be preloaded, by its definition or by the op") {
  const Folder folder;
  const auto scenario = folder.good(
      R"({"scheduler": {"name": "one", "path": "scx_one", "handover": "preloaded"}, "steps": [{"ops": [
          {"type": "replace_scheduler", "scheduler": "scx_two", "handover": "preloaded"},
          {"type": "replace_scheduler", "scheduler": "one", "handover": "cold"}]}]})");
  CHECK(scenario.scheduler->handover == Handover::kPreloaded);
  CHECK(std::get<ReplaceSchedulerOp>(scenario.steps[0].ops[0]).handover == Handover::kPreloaded);
  CHECK(std::get<ReplaceSchedulerOp>(scenario.steps[0].ops[1]).handover == Handover::kCold);
  CHECK(folder.outcome(scheduler(R"("name": "x", "enable": ["echo 1 > /sys/x"], "handover": "preloaded")")) ==
        "scheduler.handover: a scheduler with `enable` commands has no program to preload");
}

TEST_CASE("a scheduler's topology is that of scenarios that state none, and its bounds hold for all") {
  const Folder folder;
  const std::string machine = R"("path": "scx_one", "topology": "1n2l2c1t", "min_cpus": 4, "max_llcs": 2)";
  CHECK(folder.good(scheduler(machine)).topology.to_string() == "1n2l2c1t");
  CHECK(folder.good(R"({"topology": "1n1l4c1t", "scheduler": {)" + machine + "}}").topology.to_string() ==
        "1n1l4c1t");
  CHECK(folder.outcome(R"({"topology": "1n1l2c1t", "scheduler": {)" + machine + "}}") ==
        "scheduler.min_cpus: the topology 1n1l2c1t has 2 CPUs, and this scheduler takes at least 4");
  CHECK(folder.outcome(R"({"topology": "1n4l1c1t", "scheduler": {)" + machine + "}}") ==
        "scheduler.max_llcs: the topology 1n4l1c1t has 4 LLCs, and this scheduler takes at most 2");
  CHECK(
      folder.outcome(R"({"topology": "1n1l2c1t", "scheduler": "scx_two", "steps": [{"ops": [
            {"type": "replace_scheduler", "scheduler": {"path": "scx_one", "min_nodes": 2}}]}]})") ==
      "steps[1].ops[1].scheduler.min_nodes: the topology 1n1l2c1t has 1 NUMA nodes, and this scheduler takes "
      "at least 2");
}

TEST_CASE("the scenario's watchdog is that of schedulers that state none") {
  const Folder folder;
  const auto scenario = folder.good(R"({"watchdog_timeout": "4s", "scheduler": "scx_one", "steps": [{"ops": [
      {"type": "replace_scheduler", "scheduler": {"path": "scx_two", "watchdog_timeout": "2s"}}]}]})");
  CHECK(scenario.scheduler->watchdog_timeout == Duration(std::chrono::seconds(4)));
  CHECK(std::get<ReplaceSchedulerOp>(scenario.steps[0].ops[0]).scheduler.watchdog_timeout ==
        Duration(std::chrono::seconds(2)));
  CHECK(folder.outcome(R"({"watchdog_timeout": "1ms"})") ==
        "watchdog_timeout: must be from 100ms to 1h, not 1ms");
  CHECK(
      folder.outcome(scheduler(R"("name": "x", "enable": ["echo 1 > /sys/x"], "watchdog_timeout": "2s")")) ==
      "scheduler.watchdog_timeout: the kernel's own schedulers have no such watchdog");
}

TEST_CASE("further files are found beside the scenario, under the names that the scheduler knows") {
  const Folder folder;
  folder.directory.write("layers.json", "[]");
  const auto scenario = folder.good(
      scheduler(R"("path": "scx_one", "files": {"a.json": "layers.json", "/etc/b.json": "layers.json"})"));
  CHECK(fs::canonical(scenario.scheduler->files.at("a.json")) == folder.path("layers.json"));
  CHECK(scenario.scheduler->files.contains("/etc/b.json"));
  const auto outcome = [&](const std::string& files) {
    return folder.outcome(scheduler(R"("path": "scx_one", "files": {)" + files + "}"));
  };
  CHECK(outcome(R"("a": "missing")") == "scheduler.files.a: there is no file missing");
  for (const auto* name : {"../a", "", "a/", "/", "a/../b"})
    CHECK_MESSAGE(outcome("\"" + std::string(name) + R"(": "layers.json")").find("is no name of a file") !=
                      std::string::npos,
                  name);
  for (const auto* name : {"/init", "/proc/x", "lib/x", "scx_one"})
    CHECK_MESSAGE(
        outcome("\"" + std::string(name) + R"(": "layers.json")").find("can't be replaced in the guest") !=
            std::string::npos,
        name);
}
