// The module "ktstr.ctprof": captures as tables, comparisons, and what is refused.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "introspect/ctprof/file.h"
#include "introspect/ctprof/zstd_stream.h"
#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

namespace ctprof = introspect::ctprof;
using ctprof::MonotonicCount;

/// Two workers of one process, and a thread of which nothing is known.
ctprof::Snapshot capture(std::uint64_t at_s, std::uint64_t wakeups) {
  ctprof::Snapshot snapshot;
  snapshot.captured_at_boot_ns = at_s * 1'000'000'000;
  snapshot.host.boot_id = "the-same";
  snapshot.threads.resize(3);
  for (std::uint32_t i = 0; i < 2; ++i) {
    auto& thread = snapshot.threads[i];
    thread.tid = 10 + i;
    thread.tgid = 10;
    thread.pcomm = "server";
    thread.comm = "worker-" + std::to_string(i + 1);
    thread.start_time_clock_ticks = 5;
    thread.nr_wakeups = MonotonicCount{wakeups};
    thread.policy = ctprof::Category{"SCHED_OTHER"};
  }
  return snapshot;
}

/// A directory with before.ctprof.zst and after.ctprof.zst, and scripts that see its path as `here`.
class Captures : public Bundle {
 public:
  Captures() {
    save("before", capture(1, 100));
    save("after", capture(3, 150));
  }
  void save(const std::string& name, const ctprof::Snapshot& snapshot) const {
    REQUIRE(ctprof::write_snapshot(directory() / (name + ".ctprof.zst"), snapshot));
  }
  /// "ok", or the error of this text with the module as `c` on line 1.
  [[nodiscard]] std::string run(const std::string& text, const Limits& limits = {}) const {
    return outcome("local c, here = require 'ktstr.ctprof', '" + directory().string() + "/' " + text +
                       "\nreturn require 'ktstr'.scenario {}",
                   limits);
  }
  /// The same with both captures loaded.
  [[nodiscard]] std::string compared(const std::string& text) const {
    return run(
        "local before = c.load(here .. 'before.ctprof.zst') local after = c.load(here .. "
        "'after.ctprof.zst')\n" +
        text);
  }
};

}  // namespace

TEST_CASE("a capture is there as tables, and what is absent is nil") {
  const Captures captures;
  CHECK(captures.compared(
            "assert(before.threads[1].nr_wakeups == 100 and after.threads[2].nr_wakeups == 150)\n"
            "assert(before.threads[1].policy == 'SCHED_OTHER' and before.threads[1].comm == 'worker-1')\n"
            "assert(before.threads[1].wait_sum == nil and before.threads[3].comm == nil)\n"
            "assert(#before.threads == 3 and before.host.boot_id == 'the-same')\n"
            "assert(before.sched_ext == nil)") == "ok");
}

TEST_CASE("two captures are compared, by groups that options choose") {
  const Captures captures;
  CHECK(captures.compared("local d = c.compare(before, after)\n"
                          "assert(d.seconds == 2 and #d.rows > 0)\n"
                          "local row = d.rows[1]\n"
                          "assert(row.group == 'server' and row.metric == 'nr_wakeups' and row.unit == '')\n"
                          "assert(row.before == 200 and row.after == 300 and row.change == 100)\n"
                          "assert(row.relative == 0.5 and row.rate_per_second == 50)") == "ok");
  CHECK(captures.compared(
            "local d = c.compare(before, after, { group_by = 'comm-exact', metric = 'nr_wakeups' })\n"
            "assert(#d.rows == 2 and d.rows[1].group == 'worker-1' and d.rows[2].change == 50)") == "ok");
  CHECK(captures.compared("local d = c.compare(before, after, { group_by = 'comm', metric = 'nr_*' })\n"
                          "assert(#d.rows == 1 and d.rows[1].group == 'worker-{N}')") == "ok");
  CHECK(captures.compared("local d = c.compare(before, after, { sections = { 'delays' } })\n"
                          "assert(#d.rows == 0)") == "ok");
  CHECK(captures.compared("local d = c.compare(before, before, { all = true, filter = 'serv*' })\n"
                          "assert(#d.rows > 0 and d.rows[1].change == 0)") == "ok");
}

TEST_CASE("a capture stays what it was, whatever a script does to its tables") {
  const Captures captures;
  CHECK(captures.compared("after.threads = nil collectgarbage = nil\n"
                          "assert(c.compare(before, after).rows[1].change == 100)") == "ok");
}

TEST_CASE("files that are no captures are refused, with the line that loads them") {
  const Captures captures;
  captures.write("text.ctprof.zst", "no capture");
  captures.write("foreign.ctprof.zst", [] {
    ctprof::ZstdStream stream;
    for (const char c : std::string("{\"format\": \"other\"}")) stream.Put(c);
    return stream.finish().value();
  }());
  std::filesystem::create_directory(captures.directory() / "directory.ctprof.zst");
  REQUIRE(::mkfifo((captures.directory() / "pipe.ctprof.zst").c_str(), 0600) == 0);
  const auto load = [&](const std::string& name) { return captures.run("\nc.load(here .. '" + name + "')"); };
  CHECK(load("missing.ctprof.zst")
            .starts_with("foo.lua:2: ctprof.load: open missing.ctprof.zst: No such file"));
  CHECK(load("text.ctprof.zst") == "foo.lua:2: ctprof.load: text.ctprof.zst: not compressed with zstd");
  CHECK(load("foreign.ctprof.zst") ==
        "foo.lua:2: ctprof.load: foreign.ctprof.zst: not a capture of ktstr ctprof");
  CHECK(load("directory.ctprof.zst") == "foo.lua:2: ctprof.load: directory.ctprof.zst: not a file");
  CHECK(load("pipe.ctprof.zst") == "foo.lua:2: ctprof.load: pipe.ctprof.zst: not a file");
  CHECK(load("foo.lua") ==
        "foo.lua:2: ctprof.load: foo.lua: a script reads captures only, which are called NAME.ctprof.zst");
}

TEST_CASE("a few bytes that would become gigabytes in memory are refused, again and again") {
  const Captures captures;
  captures.write("bomb.ctprof.zst", [] {
    ctprof::ZstdStream stream;
    stream.Put('[');
    for (int i = 0; i < 33'000'000; ++i) stream.Put('0'), stream.Put(',');
    for (const char c : std::string("0]")) stream.Put(c);
    return stream.finish().value();
  }());
  CHECK(captures.run("\nfor i = 1, 3 do\n"
                     "  local ok, why = pcall(c.load, here .. 'bomb.ctprof.zst')\n"
                     "  assert(not ok and why:find('too many values for so short a text', 1, true), why)\n"
                     "end") == "ok");
}

TEST_CASE("a capture that does not fit a script's memory ends it") {
  const Captures captures;
  auto large = capture(1, 1);
  large.threads.resize(4'000, large.threads[0]);
  captures.save("large", large);
  CHECK(captures.run("\nc.load(here .. 'large.ctprof.zst')", {.memory_bytes = 1U << 20}) ==
        "foo.lua:2: out of memory: a script may use 1M");
}

TEST_CASE("arguments and options that can't be are told, with the nearest name") {
  const Captures captures;
  const auto line_3 = [&](const std::string& text) { return captures.compared("\n" + text); };
  CHECK(line_3("c.compare(before, after, { metrik = 'x' })") ==
        "foo.lua:3: ctprof.compare: metrik: unknown key (did you mean \"metric\"?)");
  CHECK(line_3("c.compare(before, after, { group_by = 'com' })")
            .starts_with("foo.lua:3: ctprof.compare: group_by: "));
  CHECK(line_3("c.compare(before, after, { group_by = 'com' })").find("did you mean \"comm\"?") !=
        std::string::npos);
  CHECK(line_3("c.compare(before, after, { sections = { 'delay' } })").find("did you mean \"delays\"?") !=
        std::string::npos);
  CHECK(line_3("c.compare(before, after, { all = 1 })") ==
        "foo.lua:3: ctprof.compare: all: expected true or false, got a whole number (1)");
  CHECK(line_3("c.compare(before, after, 'all')").starts_with("foo.lua:3: ctprof.compare: expected "));
  CHECK(line_3("c.compare(before, { threads = {} })") ==
        "foo.lua:3: ctprof.compare: the second argument is no capture that ctprof.load gave");
  CHECK(line_3("c.compare(nil, after)") ==
        "foo.lua:3: ctprof.compare: the first argument is no capture that ctprof.load gave");
  CHECK(line_3("c.compare(before)") == "foo.lua:3: ctprof.compare takes two captures, and options if any");
  CHECK(line_3("c.load()") == "foo.lua:3: ctprof.load takes the path of a capture");
  CHECK(line_3("c.lode()") == "foo.lua:3: ctprof has no \"lode\" (did you mean \"load\"?)");
}

}  // namespace ktstr::lua
