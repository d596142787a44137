#include "engine/run/scheduler_setup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;

namespace {

SchedulerDef shell(const std::string& name) {
  SchedulerDef def;
  def.name = name;
  def.path = std::filesystem::canonical("/bin/sh");
  return def;
}

bool has_file(const StagedSchedulers& staged, const std::string& path) {
  return std::any_of(staged.files.begin(), staged.files.end(),
                     [&](const auto& file) { return file.path == path; });
}

}  // namespace

TEST_CASE("programs of all ops are staged once, with their libraries and loader") {
  Scenario scenario;
  scenario.scheduler = shell("one");
  scenario.steps = {{.ops = {ReplaceSchedulerOp{shell("two"), {}}}, .setup = {}, .hold = {}}};
  const auto staged = stage_schedulers(scenario);
  REQUIRE_MESSAGE(staged.has_value(), staged.error().message);
  CHECK(staged->programs.size() == 1);
  const auto program = "schedulers/0/" + std::filesystem::path(*scenario.scheduler->path).filename().string();
  CHECK(has_file(*staged, program));
  CHECK(has_file(*staged, "schedulers/0/lib/libc.so.6"));
  CHECK(has_file(*staged, "lib64/ld-linux-x86-64.so.2"));
  const auto request = staged->request(*scenario.scheduler);
  CHECK(request.program == "/" + program);
  CHECK(request.library_path == "/schedulers/0/lib");
}

TEST_CASE("a request has arguments with the configuration's place, sysctls and commands") {
  StagedSchedulers staged;
  staged.programs["/host/scx"] = "/schedulers/0/scx";
  staged.configs["/host/one.toml"] = "/schedulers/config/0/one.toml";
  SchedulerDef def;
  def.name = "one";
  def.path = "/host/scx";
  def.args = {"--config={config}", "-v"};
  def.config = "/host/one.toml";
  def.sysctls = {{"kernel.sched_schedstats", "1"}, {"net/core/x.y", "2"}};
  def.flags["llc"] = {.args = {"--llc"}, .needs = {}};
  def.active = {"llc"};
  const auto request = staged.request(def);
  CHECK(request.args == std::vector<std::string>{"--config=/schedulers/config/0/one.toml", "-v", "--llc"});
  CHECK_FALSE(request.library_path);
  REQUIRE(request.before.size() == 2);
  CHECK(request.before[0].file == "/proc/sys/kernel/sched_schedstats");
  CHECK(request.before[1].file == "/proc/sys/net/core/x.y");
  SchedulerDef own;
  own.name = "own";
  own.enable = {"echo 1 > /sys/x"};
  const auto built_in = staged.request(own);
  CHECK_FALSE(built_in.program);
  REQUIRE(built_in.enable.size() == 1);
  CHECK(built_in.enable[0].file == "/sys/x");
}

TEST_CASE("defaults, then schedulers, then the scenario: the last one set wins") {
  Scenario scenario;
  scenario.scheduler = shell("one");
  scenario.scheduler->expect.max_gap = Duration(4s);
  scenario.scheduler->expect.max_spread_pct = 50;
  scenario.scheduler->kernel_args = {"a", "b"};
  scenario.kernel_args = {"b", "c"};
  scenario.expect.max_gap = Duration(1s);
  const auto expect = expectations_of(scenario);
  CHECK(expect.max_gap == Duration(1s));
  CHECK(expect.max_spread_pct == 50);
  CHECK_FALSE(expect.no_starvation);
  CHECK(kernel_args_of(scenario) == std::vector<std::string>{"b", "c", "a"});
}

TEST_CASE("files lie beside the program that reads them, and apart where definitions differ") {
  Scenario scenario;
  auto one = shell("one"), two = shell("two");
  one.files = {{"layers.json", *one.path}, {"/etc/layers.json", *one.path}};
  two.files = {{"layers.json", "/etc/hostname"}};
  scenario.scheduler = one;
  scenario.steps = {{.ops = {ReplaceSchedulerOp{two, {}}}, .setup = {}, .hold = {}}};
  const auto staged = stage_schedulers(scenario);
  REQUIRE_MESSAGE(staged.has_value(), staged.error().message);
  CHECK(has_file(*staged, "schedulers/0/layers.json"));
  CHECK(has_file(*staged, "etc/layers.json"));
  CHECK(has_file(*staged, "schedulers/1/layers.json"));
  CHECK(staged->request(one).program != staged->request(two).program);
  two.files = {{"/etc/layers.json", "/etc/hostname"}};
  scenario.steps[0].ops = {ReplaceSchedulerOp{two, {}}};
  const auto clash = stage_schedulers(scenario);
  REQUIRE_FALSE(clash);
  CHECK(
      clash.error().message.starts_with("scheduler two: two files would be /etc/layers.json in the guest: "));
}
