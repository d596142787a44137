// The commands that README and docs show, run as they are shown. What they print is compared with what is
// shown of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/documents.h"
#include "tests/guest/guest_fixture.h"
#include "tests/run_command.h"
#include "tests/shown_output.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine::testing;
using test::first_not_in;
namespace fs = std::filesystem;

namespace {

/// A command as documents show it, with what stands for FILE and the like, and what it must print.
struct Shown {
  std::string command;
  std::string run;
  std::string prints;
  int code = 0;
};

/// Those that need no guest, in an order in which each finds its files.
const std::vector<Shown> kOnThisHost = {
    {"--help", "ktstr --help", "Subcommands:"},
    {"list", "ktstr list", "\nhello  "},
    {"list --profiles FILE", "ktstr list --profiles scenarios/steady.lua", ""},
    {"check scenarios/hello.lua", "ktstr check scenarios/hello.lua", "scenarios/hello.lua: ok\n"},
    {"ctprof capture -o before.ctprof.zst", "ktstr ctprof capture -o before.ctprof.zst", " threads in "},
    {"ctprof show before.ctprof.zst", "ktstr ctprof show before.ctprof.zst", "\nGROUP "},
    {"ctprof show FILE", "ktstr ctprof show before.ctprof.zst", "\nGROUP "},
    {"ctprof compare before.ctprof.zst after.ctprof.zst",
     "ktstr ctprof capture -o after.ctprof.zst && ktstr ctprof compare before.ctprof.zst after.ctprof.zst",
     "\nGROUP "},
    {"ctprof compare A B", "ktstr ctprof compare before.ctprof.zst after.ctprof.zst", "GROUP "},
    {"ctprof capture --watch 1s --top 10",
     "timeout --preserve-status -s INT 5 ktstr ctprof capture --watch 1s --top 10", "\nPER SECOND "},
    {"ctprof metric-list", "ktstr ctprof metric-list", "\nnr_wakeups "},
};

/// Those that boot guests, and look at what these leave behind.
const std::vector<Shown> kInGuests = {
    {"scenarios/hello.lua", "ktstr scenarios/hello.lua", "PASS hello\n"},
    {"run a.lua b.lua c.lua", "ktstr run a.lua b.lua c.lua", "PASS c\n"},
    {"run a.lua b.lua ...", "ktstr run --ktap --fresh-boot a.lua b.lua", "KTAP version 1\n1..2\n"},
    {"run SCENARIO --json FILE", "ktstr run a.lua --json a.json && cat a.json", " \"verdict\": \"pass\""},
    {"dump show FILE", "ktstr dump show a.one.dump.json", "dump \"one\", requested\n"},
    {"dump diff A B", "ktstr dump diff a.one.dump.json a.two.dump.json", "\nleft out: ", 1},
};

/// Those that a case of their own runs.
const std::set<std::string> kInOtherCases = {
    "run --kernel 6.18 scenarios/hello.lua",
    "dump show web.failure-dump.json",
    "run scenarios/wakeups_short_slice.lua scenarios/wakeups_long_slice.lua &&",
    "ctprof compare wakeups_short_slice.end.ctprof.zst wakeups_long_slice.end.ctprof.zst --group-by comm "
    "--filter sleeper",
};

/// Those that are not run, and why.
const std::map<std::string, std::string> kNotRun = {
    {"kernel fetch 6.18", "downloads; debian_fetch_test asks an archive of its own"},
};

const char* const kSmallScenario = R"(local k = require "ktstr"
return k.scenario {
  topology = "1n1l2c1t", duration = "600ms",
  cgroups = { web = { works = { k.work.cpu_spin { workers = 1 } } } },
  steps = { k.step { k.op.capture_snapshot "one", hold = "300ms" },
            k.step { k.op.capture_snapshot "two", hold = k.hold.rest } },
})";

/// What README tells of in the report of the scheduler that was told to forget a task.
const char* const kForgottenTask = R"(local k = require "ktstr"
return k.scenario {
  topology = "1n2l2c1t", duration = "30s",
  scheduler = k.scheduler { name = "scx_ktstr", path = "scx_ktstr", args = { "--stall-comm", "web", "--timeout-ms", "2000" } },
  cgroups = { batch = { works = { k.work.cpu_spin { workers = 4 } } },
              web = { works = { k.work.bursty { workers = 1, comm = "web" } } } },
})";

/// A folder as a user's, in which commands are run as they are shown.
class Workplace {
 public:
  Workplace() {
    fs::copy(KTSTR_SCENARIOS, folder_.path() / "scenarios", fs::copy_options::recursive);
    for (const auto* name : {"a.lua", "b.lua", "c.lua"})
      static_cast<void>(folder_.write(name, kSmallScenario));
  }
  void write(const std::string& name, const std::string& text) const {
    static_cast<void>(folder_.write(name, text));
  }
  [[nodiscard]] test::CommandOutcome run(const std::string& command) const {
    const auto path = fs::path(KTSTR_EXECUTABLE).parent_path().string();
    return test::run_command("cd " + folder_.path().string() + " && export PATH=" + path + ":$PATH && " +
                             command);
  }
  void check(const Shown& shown) const {
    CAPTURE(shown.run);
    const auto outcome = run(shown.run);
    INFO(outcome.output);
    CHECK(outcome.code == shown.code);
    CHECK(outcome.output.find(shown.prints) != std::string::npos);
  }

 private:
  test::TemporaryDirectory folder_;
};

/// The command lines that documents show, with arguments: without them it is a name.
std::set<std::string> shown_commands() {
  static const std::regex kName("(-*[a-z-]+ ?)+");
  std::set<std::string> commands;
  for (const auto& [path, text] : test::documents())
    for (const auto& code : test::code_in(text)) {
      std::string command;
      for (const auto& word : test::words_behind_ktstr(code)) command += (command.empty() ? "" : " ") + word;
      if (!command.empty() && !std::regex_match(command, kName)) commands.insert(command);
    }
  return commands;
}

std::string document(const std::string& name) {
  return test::content(fs::path(KTSTR_ROOT) / name);
}

/// The first block without a language that has this text in it.
std::string block_with(const std::string& name, const std::string& text) {
  for (const auto& block : test::blocks(document(name), ""))
    if (block.find(text) != std::string::npos) return block;
  FAIL(name << " shows no block with: " << text);
  return {};
}

std::string without_lines(const std::string& text, const std::string& with) {
  std::string kept;
  for (const auto& line : test::lines_of(text))
    if (line.find(with) == std::string::npos) kept += line + "\n";
  return kept;
}

/// How a scheduler's program ended is told when it has within seconds, which a busy host does not grant.
std::string without_program(const std::string& report) {
  static const std::regex kProgram("; (its program ended|the kernel no longer runs it)[^\n]*");
  return std::regex_replace(report, kProgram, "");
}

bool is_emulated(const std::string& report) {
  return report.find("(emulated: ") != std::string::npos;
}

}  // namespace

TEST_CASE("shown output is compared with what is printed, but for its numbers") {
  const std::string printed =
      "PASS hello\n  kernel 7.3.4+deb, 4 CPUs\n\nworkers\n  web  2   961.0 ms\n  dsq 0x201\n";
  CHECK(first_not_in("PASS hello\n  kernel 6.18.1-cloud, 2 CPUs\n  ...\n  web      3  3.2 s\n  dsq 0x201\n",
                     printed) == "");
  CHECK(first_not_in("...\nworkers\n", printed) == "");
  CHECK(first_not_in("workers\n", printed) == "workers");
  CHECK(first_not_in("FAIL hello\n", printed) == "FAIL hello");
  CHECK(first_not_in("PASS hello\n  batch  2  961.0 ms\n", printed) == "  batch  2  961.0 ms");
  CHECK(first_not_in("...\n  dsq 0x201\nworkers\n", printed) == "workers");
  CHECK(first_not_in("...\n  dsq 0x202\n", printed) == "  dsq 0x202");
}

TEST_CASE("every command that documents show is run here, or is left out for a reason") {
  std::set<std::string> known = kInOtherCases;
  for (const auto& [command, reason] : kNotRun) known.insert(command);
  for (const auto& shown : kOnThisHost) known.insert(shown.command);
  for (const auto& shown : kInGuests) known.insert(shown.command);
  const auto commands = shown_commands();
  for (const auto& command : commands) CHECK_MESSAGE(known.contains(command), command);
  static const std::set<std::string> kNames = {"--help", "list", "ctprof metric-list"};
  for (const auto& command : known)
    CHECK_MESSAGE((commands.contains(command) || kNames.contains(command)), command);
}

TEST_CASE("commands that documents show and that need no guest work as shown") {
  const Workplace place;
  for (const auto& shown : kOnThisHost) place.check(shown);
}

TEST_CASE("commands that documents show work in guests") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const Workplace place;
  for (const auto& shown : kInGuests) place.check(shown);
}

TEST_CASE("another kernel is run as README shows") {
  const auto store = engine::KernelStore::open();
  if (!store || !store->resolve("6.18")) SKIP_TEST("no kernel 6.18 is cached: ktstr kernel fetch 6.18");
  Workplace().check({"", "ktstr run --kernel 6.18 scenarios/hello.lua", "PASS hello\n  kernel 6.18."});
}

TEST_CASE("the whole scenario of docs/scenarios.md passes") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const Workplace place;
  for (const auto& block : test::blocks(document("docs/scenarios.md"), "lua"))
    if (block.find("return k.scenario {\n  description") != std::string::npos) {
      place.write("shown.lua", block);
      return place.check({"", "ktstr run shown.lua", "PASS shown\n"});
    }
  FAIL("docs/scenarios.md shows no whole scenario");
}

TEST_CASE("the scenario of README fails as README shows") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const Workplace place;
  for (const auto& block : test::blocks(document("README.md"), "lua")) place.write("starved.lua", block);
  const auto outcome = place.run("ktstr run starved.lua");
  INFO(outcome.output);
  CHECK(outcome.code == 1);
  if (!is_emulated(outcome.output))
    SKIP_TEST("the report shown is of an emulated guest, and this machine has KVM");
  CHECK(first_not_in(block_with("README.md", "FAIL starved: "), outcome.output) == "");
}

TEST_CASE("a scheduler that forgets a task fails its run, and its dump is, as README shows") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  if (!kernel->metadata.can_run_schedulers()) SKIP_TEST("the kernel has no sched_ext");
  if (!fs::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet");
  const Workplace place;
  place.write("web.lua", kForgottenTask);
  const auto run = place.run("ktstr run web.lua");
  INFO(run.output);
  CHECK(run.code == 1);
  CHECK(first_not_in(without_program(block_with("README.md", "FAIL web: ")), without_program(run.output)) ==
        "");
  const auto dump = place.run("ktstr dump show web.failure-dump.json");
  INFO(dump.output);
  CHECK(dump.code == 0);
  // Which task runs at that moment, and which waits, is another matter each time.
  const auto shown = block_with("README.md", "$ ktstr dump show web.failure-dump.json");
  CHECK(first_not_in("...\n" + without_lines(without_lines(shown, "$ ktstr"), "cpu_spin/"), dump.output) ==
        "");
}

TEST_CASE("the comparison of two schedulers finds what docs/ctprof.md shows") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  if (!kernel->metadata.can_run_schedulers()) SKIP_TEST("the kernel has no sched_ext");
  if (!fs::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet");
  const auto outcome =
      Workplace().run(block_with("docs/ctprof.md", "ktstr run scenarios/wakeups_short_slice.lua"));
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  const auto shown = block_with("docs/ctprof.md", "note: the captures are of different boots");
  const auto from = outcome.output.find("note: the captures");
  REQUIRE(from != std::string::npos);
  const auto printed = outcome.output.substr(from);
  CHECK(first_not_in(shown.substr(0, shown.find("sleeper")), printed) == "");
  // Rows are in the order of their change, and how much each changes is a matter of the host's load. That
  // whoever wakes waits longer and is seldom preempted is not.
  static const std::regex kRow(R"(sleeper +(\w+) .*([+-])[0-9.]+%)");
  std::map<std::string, std::string> sides;
  for (const auto& row : test::matches(printed, kRow)) sides[row[1]] = row[2];
  const auto rows = test::matches(shown, kRow);
  CHECK(rows.size() >= 8);
  for (const auto& row : rows) CHECK_MESSAGE(sides.contains(row[1]), row[0].str());
  CHECK(sides["avg_cpu_delay_ns"] == "+");
  CHECK(sides["nonvoluntary_csw"] == "-");
}
