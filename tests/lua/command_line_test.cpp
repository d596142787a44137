// The ktstr executable, as a person or a script calls it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "lua/version.h"
#include "tests/hostile_text.h"
#include "tests/lua/bundle.h"
#include "tests/run_command.h"
#include "tests/skip.h"

namespace ktstr::lua {
namespace {

using Outcome = test::CommandOutcome;

Outcome ktstr(const std::string& arguments) {
  return test::run_command(std::string(KTSTR_EXECUTABLE) + " " + arguments);
}

bool contains(const Outcome& outcome, const std::string& text) {
  return outcome.output.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("list shows name, topology, duration and description") {
  const Bundle bundle;
  std::filesystem::copy(KTSTR_SCENARIOS "/hello.lua", bundle.directory());
  const auto outcome = ktstr("list " + bundle.directory().string());
  CHECK(outcome.code == 0);
  CHECK(contains(outcome, "NAME"));
  CHECK(contains(outcome, "hello "));
  CHECK(contains(outcome,
                 "1n2l2c1t          4s  two cgroups with cpusets that are swapped in the second step\n"));
}

TEST_CASE("list tells about broken scripts and shows the others") {
  const Bundle bundle;
  bundle.write("bad.lua", "return 1 +");
  bundle.write("good.lua", "return require('ktstr').scenario { description = 'fine' }");
  const auto outcome = ktstr("list " + bundle.directory().string());
  CHECK(outcome.code == 3);
  CHECK(contains(outcome, "bad.lua:1: unexpected symbol near '<eof>'"));
  CHECK(contains(outcome, "fine"));
  CHECK(ktstr("list /nonexistent").output == "/nonexistent: No such file or directory\n");
}

TEST_CASE("check tells what is wrong and exits with 3") {
  const Bundle bundle;
  const auto good = bundle.write("good.lua", "return require('ktstr').scenario {}");
  const auto bad = bundle.write("bad.lua", "return require('ktstr').scenario { duration = 1 }");
  CHECK(ktstr("check " + good.string()).code == 0);
  const auto outcome = ktstr("check " + good.string() + " " + bad.string());
  CHECK(outcome.code == 3);
  CHECK(contains(outcome, good.string() + ": ok\n"));
  CHECK(contains(
      outcome,
      bad.string() + ":1: duration: expected a duration such as \"50ms\", got a whole number (1)\n"));
}

TEST_CASE("a script alone is run, and its mistakes are told before anything boots") {
  const Bundle bundle;
  const auto bad = bundle.write("bad.lua", "return require('ktstr').scenario { durration = 1 }");
  const auto outcome = ktstr(bad.string());
  CHECK(outcome.code == 3);
  CHECK(outcome.output == bad.string() + ":1: durration: unknown key (did you mean \"duration\"?)\n");
}

TEST_CASE("an unknown command names the nearest, with or without a script behind it") {
  for (const auto* arguments : {"chekc", "chekc some.lua", "chekc --json report.json"}) {
    CAPTURE(arguments);
    const auto outcome = ktstr(arguments);
    CHECK(outcome.code == 3);
    CHECK(outcome.output == "unknown command \"chekc\" (did you mean \"check\"?)\n");
  }
}

TEST_CASE("wrong usage exits with 3, help and version with 0") {
  CHECK(ktstr("").code == 3);
  CHECK(ktstr("check").code == 3);
  CHECK(ktstr("check --nonsense x.lua").code == 3);
  CHECK(ktstr("run --json report.json a.lua b.lua").code == 3);
  CHECK(ktstr("run --halt-poll soon a.lua").code == 3);
  CHECK(ktstr("run --realtime=high a.lua").code == 3);
  CHECK(ktstr("kernel").code == 3);
  CHECK(ktstr("--version").output == version_text() + "\n");
  for (const auto* command :
       {"", "run ", "list ", "check ", "kernel ", "kernel fetch ", "kernel list ", "kernel add ",
        "kernel clean ", "ctprof ", "ctprof capture ", "ctprof show ", "ctprof compare "}) {
    const auto help = ktstr(std::string(command) + "--help");
    CHECK_MESSAGE(help.code == 0, command);
    CHECK_MESSAGE(contains(help, "Usage: "), command);
  }
}

TEST_CASE("a host's parts that no guest can get are refused before anything is read") {
  CHECK(ktstr("run --realtime=100 a.lua").output == "realtime priority 100: SCHED_FIFO has 1 to 99\n");
  CHECK(ktstr("run --performance --realtime=0 a.lua").output ==
        "realtime priority 0: SCHED_FIFO has 1 to 99\n");
  CHECK(ktstr("run --halt-poll 5s a.lua").output == "halt polling of 5s: KVM takes 0s to 4294967295ns\n");
  CHECK(ktstr("run --halt-poll 5s a.lua").code == 3);
}

TEST_CASE("ctprof captures, shows and compares") {
  const Bundle bundle;
  const auto before = bundle.directory().string() + "/before.zst";
  const auto after = bundle.directory().string() + "/after.zst";
  const auto capture = "ctprof capture --pid " + std::to_string(getpid()) + " -o ";
  const auto captured = ktstr(capture + before);
  CHECK(captured.code == 0);
  CHECK(contains(captured, " UTC, 1 threads in "));
  CHECK(ktstr(capture + after).code == 0);
  const auto shown = ktstr("ctprof show --metrics minflt,nice " + before);
  CHECK(shown.code == 0);
  CHECK(contains(shown, "GROUP      THREADS  minflt  nice\nlua_tests        1 "));
  CHECK(contains(ktstr("ctprof show --json " + before), "\"format\": \"ktstr-ctprof\""));
  CHECK(contains(ktstr("ctprof compare " + before + " " + after), " s between the captures\n"));
  CHECK(contains(ktstr("ctprof compare --csv " + before + " " + after), "section,group,metric,unit,"));
  CHECK(contains(ktstr("ctprof compare --json --sections primary " + before + " " + after), "\"rows\": ["));
  CHECK(contains(ktstr("ctprof metric-list"), "CONFIG_SCHEDSTATS"));
}

TEST_CASE("ctprof says what is wrong and exits with 3") {
  CHECK(ktstr("ctprof").code == 3);
  CHECK(ktstr("ctprof capture").output == "capture: where to? give --output FILE, or --watch INTERVAL\n");
  CHECK(ktstr("ctprof capture --watch 1x").code == 3);
  CHECK(ktstr("ctprof capture --top 3 -o /dev/null").code == 3);
  CHECK(contains(ktstr("ctprof show " KTSTR_SCENARIOS "/hello.lua"), "hello.lua: not compressed with zstd"));
  CHECK(ktstr("ctprof compare /nonexistent /nonexistent").code == 3);
  CHECK(ktstr("ctprof compare --sections none a b").code == 3);
}

TEST_CASE("numbers and times outside of their range are refused before anything is done") {
  const auto refused = [](const std::string& arguments, const std::string& text) {
    const auto outcome = ktstr(arguments);
    INFO(arguments << ": " << outcome.output);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome, text));
  };
  refused("kernel clean --keep -1", "--keep: \"-1\" is not a whole number from 0 to 1000");
  refused("ctprof compare a b --limit -5", "--limit: \"-5\" is not a whole number from 0 to 1000000");
  refused("ctprof compare a b --limit 1e3", "--limit: \"1e3\" is not a whole number");
  refused("ctprof show a --top 99999999999999999999", "is not a whole number from 0 to 1000000");
  refused("ctprof capture --watch 1s --top -1", "--top: \"-1\" is not a whole number");
  refused("ctprof capture -o a --pid 0", "--pid: \"0\" is not a whole number from 1 to 4194304");
  refused("dump show a --task -1", "--task: \"-1\" is not a whole number");
  refused("ctprof capture --watch 0s", "--watch 0s: takes 10ms to ");
  refused("ctprof capture --watch 100h", "--watch 100h: takes 10ms to ");
  refused("ctprof capture --watch fast", "--watch: ");
}

TEST_CASE("only regular files are put in the place of what a person names") {
  const Bundle bundle;
  const auto capture = "ctprof capture --pid " + std::to_string(getpid()) + " -o ";
  const auto full = ktstr(capture + "/dev/full");
  CHECK(full.code == 3);
  CHECK(full.output == "/dev/full: a character device, not a regular file\n");
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(ktstr(capture + bundle.directory().string()).output ==
        bundle.directory().string() + ": a directory, not a regular file\n");
}

TEST_CASE("an empty path to a kernel is an error, not an exception") {
  const auto outcome = ktstr("kernel add ''");
  CHECK(outcome.code == 3);
  CHECK(outcome.output == "kernel add: the path is empty; give a bzImage or an ELF\n");
}

TEST_CASE("where no thread can be started, a command does without or says so") {
  if (::geteuid() != 0) SKIP_TEST("needs root, to become somebody who has no thread left");
  const Bundle bundle;
  std::filesystem::permissions(bundle.directory(), std::filesystem::perms::all);
  const auto limited = [&](const std::string& arguments) {
    const auto copy = bundle.directory() / "ktstr";
    std::filesystem::copy_file(KTSTR_EXECUTABLE, copy, std::filesystem::copy_options::overwrite_existing);
    // A leak check starts a thread of its own.
    return test::run_command(
        "ASAN_OPTIONS=detect_leaks=0 setpriv --reuid 65533 --regid 65533 --clear-groups prlimit --nproc=1 " +
        copy.string() + " " + arguments);
  };
  const auto captured = limited("ctprof capture -o " + bundle.directory().string() + "/all.ctprof.zst");
  CHECK_MESSAGE(captured.code == 0, captured.output);
  const auto watched = limited("ctprof capture --watch 1s");
  CHECK(watched.code == 3);
  CHECK(watched.output == "start a thread for Ctrl-C: the limit of tasks is reached (ulimit -u, pids.max)\n");
}

TEST_CASE("what scripts and arguments say reaches the terminal as text") {
  const Bundle bundle;
  const std::string hostile =
      R"("PASS forged \27[2J\7\127\255\194\155\226\128\174\nPASS forged\nok 1 forged")";
  const std::string scenario = "require('ktstr').scenario { description = " + hostile + " }";
  const auto print = bundle.write("print.lua", "print(" + hostile + ") return " + scenario);
  const auto error = bundle.write("error.lua", "error(" + hostile + ")");
  const auto bare = bundle.write("bare.lua", "error(" + hostile + ", 0)");
  const auto key = bundle.write("key.lua", "return require('ktstr').scenario { [" + hostile + "] = 1 }");
  for (const auto& arguments :
       {"check " + print.string(), "check " + error.string(), "check " + key.string(),
        "check " + bare.string(), "run --ktap " + print.string() + " " + bare.string(),
        "run " + error.string(), "list " + bundle.directory().string(),
        std::string("run \"$(printf '\\033[31m\\nPASS')\""),
        std::string("run --backend \"$(printf '\\033[31m\\nPASS')\" a.lua")}) {
    CAPTURE(arguments);
    const auto outcome = ktstr(arguments);
    CHECK(contains(outcome, "\\x1b["));
    testing::check_harmless("\n" + outcome.output);
  }
}

TEST_CASE("names of scenarios, cgroups, topologies and schedulers reach the terminal as text") {
  const Bundle bundle;
  for (const auto* table :
       {"name = '\\194\\15531mcsi'", "name = '\\226\\128\\174rtl'", "topology = '\\27[31m'",
        "scheduler = '\\27[31mx'", "cgroups = { ['a\\nPASS'] = {} }", "cgroups = { ['\\27[31m'] = {} }"}) {
    CAPTURE(table);
    const auto script =
        bundle.write("a.lua", "return require('ktstr').scenario { " + std::string(table) + " }").string();
    const auto outcome = ktstr("check " + script);
    CHECK(outcome.code == 3);
    testing::check_harmless("\n" + outcome.output);
  }
}

TEST_CASE("check refuses what run would: a command line that Linux cuts, memory that no host has") {
  const Bundle bundle;
  const auto long_line = bundle.write("long.lua",
                                      "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(1000) end "
                                      "return require('ktstr').scenario { kernel_args = t }");
  const auto large = bundle.write("large.lua", "return require('ktstr').scenario { memory = '100T' }");
  const auto refused = ktstr("check " + long_line.string());
  CHECK(refused.code == 3);
  CHECK(contains(refused, "kernel_args: the kernel's command line would have 1001"));
  CHECK(contains(ktstr("check " + large.string()), "memory: 100T is more than this host could back"));
}

TEST_CASE("in KTAP every script has its line, a wrong one is not ok with its error") {
  const Bundle bundle, cache;
  const auto good = bundle.write("good.lua", "return require('ktstr').scenario {}");
  const auto bad = bundle.write("bad.lua", "return require('ktstr').scenario { topologie = '1n1l2c1t' }");
  setenv("KTSTR_CACHE", cache.directory().c_str(), 1);  // nothing boots: no kernel is there
  const auto outcome = ktstr("run --ktap " + good.string() + " " + bad.string() + " /nonexistent.lua");
  unsetenv("KTSTR_CACHE");
  CHECK(outcome.code == 3);
  CHECK(outcome.output.starts_with("KTAP version 1\n1..3\n# "));
  CHECK(contains(outcome, "\nnot ok 1 good\n# " + bad.string() +
                              ":1: topologie: unknown key (did you mean \"topology\"?)\nnot ok 2 bad\n"));
  CHECK(outcome.output.ends_with("\nnot ok 3 nonexistent\n"));
}

TEST_CASE("without KTAP all wrong scripts are told, and nothing is run") {
  const Bundle bundle;
  const auto one = bundle.write("one.lua", "return require('ktstr').scenario { topologie = '1' }");
  const auto two = bundle.write("two.lua", "return require('ktstr').scenario { durration = '1s' }");
  const auto outcome = ktstr("run " + one.string() + " " + two.string());
  CHECK(outcome.code == 3);
  CHECK(contains(outcome, "topologie: unknown key"));
  CHECK(contains(outcome, "durration: unknown key"));
}

TEST_CASE("where files are to be written is tried before anything is run") {
  const Bundle bundle;
  const auto script = bundle.write("a.lua", "return require('ktstr').scenario {}").string();
  const auto folder = bundle.directory().string();
  CHECK(ktstr("run --json /nonexistent/r.json " + script).output ==
        "JSON report /nonexistent/r.json: create a file beside it: No such file or directory\n");
  CHECK(ktstr("run --json " + folder + " " + script).output ==
        "JSON report " + folder + ": a directory, not a regular file\n");
  CHECK(ktstr("run --json /proc/r.json " + script).code == 3);
  CHECK(ktstr("run --dump-dir " + script + "/x " + script).output ==
        "--dump-dir: " + script + " is no directory\n");
  CHECK(ktstr("run --dump-dir /proc/x " + script).code == 3);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
}

TEST_CASE("a value that an option does not take is told with what it takes") {
  CHECK(contains(ktstr("run --seed -1 a.lua"),
                 "--seed: \"-1\" is not a whole number from 0 to 18446744073709551615\n"));
  CHECK(contains(ktstr("run --seed 1x a.lua"), "\"1x\" is not a whole number"));
  CHECK(contains(ktstr("run --backend qmu a.lua"),
                 "--backend: no \"qmu\" (did you mean \"qemu\"?); it takes auto, kvm, qemu or qemu-kvm\n"));
  CHECK(contains(ktstr("run --backend 1 a.lua"), "--backend: no \"1\""));
  CHECK(contains(ktstr("run --help"), "--backend auto|kvm|qemu|qemu-kvm=auto"));
}

TEST_CASE("output that can't be written is an error") {
  CHECK(ktstr("list " KTSTR_SCENARIOS " > /dev/full").code == 3);
}

TEST_CASE("a kernel that is nowhere is an error, and an empty cache says how to fill it") {
  const Bundle cache;
  const auto list = std::string("kernel list");
  const std::string run = std::string("run --kernel /nonexistent/bzImage ") + KTSTR_SCENARIOS "/hello.lua";
  setenv("KTSTR_CACHE", cache.directory().c_str(), 1);
  CHECK(contains(ktstr(list), "ktstr kernel fetch"));
  const auto outcome = ktstr(run);
  unsetenv("KTSTR_CACHE");
  CHECK(outcome.code == 3);
  CHECK(contains(outcome, "/nonexistent/bzImage"));
}

}  // namespace ktstr::lua
