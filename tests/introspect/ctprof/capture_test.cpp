#include "introspect/ctprof/capture.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "introspect/ctprof/file_reader.h"
#include "tests/introspect/ctprof/staged_tree.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::StagedTree;
namespace fs = std::filesystem;
using Counts = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE("every thread of every process is captured, in order") {
  const StagedTree tree;
  tree.add_thread(20, 20, "b");
  tree.add_thread(3, 4, "worker");
  tree.add_thread(3, 3, "a");
  const auto snapshot = tree.capture();
  REQUIRE(snapshot.threads.size() == 3);
  CHECK(snapshot.threads[0].tid == 3);
  CHECK(snapshot.threads[1].tid == 4);
  CHECK(snapshot.threads[1].pcomm == "a");
  CHECK(snapshot.threads[1].comm == "worker");
  CHECK(snapshot.threads[2].tgid == 20);
  CHECK(snapshot.threads[2].run_time_ns == MonotonicNs{100});
  CHECK(snapshot.threads[2].rchar == Bytes{10});
  CHECK(snapshot.threads[2].wait_sum == MonotonicNs{12'000'345});
  CHECK(snapshot.threads[2].cpu_affinity == CpuAffinity{"0-3"});
  CHECK(snapshot.parse_summary->tids_walked == 3);
  CHECK(snapshot.parse_summary->read_failures == 0);
  CHECK(!snapshot.taskstats_summary);
  CHECK(!snapshot.captured_at_boot_ns);
}

TEST_CASE("what a process has once is kept with its first thread") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.add_thread(3, 4, "b");
  const auto threads = tree.capture().threads;
  CHECK(threads[0].nr_threads == GaugeCount{2});
  CHECK(threads[0].smaps_rollup_kib == Counts{{"Rss", 100}, {"Pss", 50}});
  CHECK(!threads[1].nr_threads);
  CHECK(!threads[1].smaps_rollup_kib);
}

TEST_CASE("several workers give what one gives") {
  const StagedTree tree;
  for (int tgid = 1; tgid <= 90; ++tgid) tree.add_thread(tgid, tgid, "p" + std::to_string(tgid));
  auto options = tree.options();
  options.workers = 4;
  const auto together = capture(options).value();
  const auto alone = tree.capture();
  CHECK(together.threads == alone.threads);
  CHECK(together.parse_summary == alone.parse_summary);
}

TEST_CASE("a file that is missing leaves its metrics absent, and is counted") {
  for (const auto* file : {"stat", "schedstat", "status", "io", "sched", "cgroup", "smaps_rollup", "comm"}) {
    const StagedTree tree;
    tree.add_thread(3, 3, "a");
    fs::remove(tree.task(3, 3) / file);
    const auto snapshot = tree.capture();
    REQUIRE_MESSAGE(snapshot.threads.size() == 1, file);
    CHECK(snapshot.parse_summary->read_failures_by_file == Counts{{file, 1}});
    CHECK(snapshot.parse_summary->read_failures_by_error == Counts{{"ENOENT", 1}});
    CHECK(snapshot.parse_summary->dominant_read_failure == file);
    CHECK(snapshot.threads[0].run_time_ns.has_value() == (file != std::string_view("schedstat")));
    CHECK(snapshot.threads[0].rchar.has_value() == (file != std::string_view("io")));
    CHECK(snapshot.threads[0].minflt.has_value() == (file != std::string_view("stat")));
    CHECK(snapshot.threads[0].state.has_value() == (file != std::string_view("status")));
    CHECK(snapshot.threads[0].nr_wakeups.has_value() == (file != std::string_view("sched")));
    CHECK(snapshot.threads[0].cgroup.has_value() == (file != std::string_view("cgroup")));
  }
}

TEST_CASE("empty, damaged and huge files leave metrics absent") {
  for (const std::string& content :
       {std::string(), std::string("\xff\x00:)\n", 5), std::string(5 << 20, '7')}) {
    const StagedTree tree;
    tree.add_thread(3, 3, "a");
    for (const auto* file : {"schedstat", "status", "io", "sched", "cgroup", "smaps_rollup"})
      tree.write_task(3, 3, file, content);
    const auto snapshot = tree.capture();
    REQUIRE(snapshot.threads.size() == 1);
    ThreadRecord rest = snapshot.threads[0];
    CHECK(!rest.run_time_ns);
    CHECK(!rest.state);
    CHECK(!rest.rchar);
    CHECK(!rest.nr_wakeups);
    CHECK(!rest.cgroup);
    CHECK(!rest.smaps_rollup_kib);
    CHECK(snapshot.parse_summary->read_failures == (content.size() > FileReader::kMaxBytes ? 6 : 0));
  }
}

TEST_CASE("a thread without name and beginning was gone, and so are its failures") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  fs::create_directories(tree.task(3, 4));  // its files vanished
  fs::create_directories(tree.task(5, 5).parent_path());
  const auto snapshot = tree.capture();
  CHECK(snapshot.threads.size() == 1);
  CHECK(snapshot.parse_summary->tids_walked == 2);
  CHECK(snapshot.parse_summary->read_failures == 0);
}

TEST_CASE("a directory that can't be entered is no thread") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.write("proc/3/task/9", "not a directory");
  tree.write("proc/self/comm", "no number");
  CHECK(tree.capture().threads.size() == 1);
}

TEST_CASE("names of any bytes are kept readable") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a b) (\n\xff");
  const auto thread = tree.capture().threads.at(0);
  CHECK(thread.pcomm == "a b) (\n\\xff");
  CHECK(thread.comm == "a b) (\n\\xff");
  CHECK(thread.minflt == MonotonicCount{99});
  CHECK(thread.nr_wakeups == MonotonicCount{17});
}

TEST_CASE("a kernel thread's memory is not asked for") {
  const StagedTree tree;
  tree.add_thread(2, 2, "kthreadd");
  tree.write_task(2, 2, "stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 \n");
  fs::remove(tree.task(2, 2) / "smaps_rollup");
  const auto snapshot = tree.capture();
  CHECK(snapshot.parse_summary->read_failures == 0);
  CHECK(snapshot.threads.at(0).start_time_clock_ticks == 5u);
}

TEST_CASE("negative times are counted, those of threads that are gone are not") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.add_thread(4, 4, "b");
  tree.write_task(3, 3, "sched", test::sched_file("wait_sum : -5.000000\nwait_max : -1.000000\n"));
  tree.write_task(4, 4, "sched", test::sched_file("wait_sum : -5.000000\n"));
  fs::remove(tree.task(4, 4) / "comm");
  fs::remove(tree.task(4, 4) / "stat");
  const auto snapshot = tree.capture();
  CHECK(snapshot.threads.size() == 1);
  CHECK(snapshot.parse_summary->negative_dotted_values == 2);
}

TEST_CASE("one process can be asked for, if it is there") {
  const StagedTree tree;
  tree.add_thread(3, 3, "a");
  tree.add_thread(4, 4, "b");
  auto options = tree.options();
  options.pid = 4;
  CHECK(capture(options).value().threads.size() == 1);
  options.pid = 5;
  const auto none = capture(options);
  REQUIRE(!none);
  CHECK(none.error().code == ErrorCode::kNotFound);
  CHECK(none.error().message == "there is no process 5");
}

TEST_CASE("a root that is not there is an error") {
  CaptureOptions options;
  options.proc = "/nonexistent";
  CHECK(capture(options).error().message == "/nonexistent: No such file or directory");
}

TEST_CASE("a proc without any process is an error that names it") {
  const StagedTree tree;
  auto options = tree.options();
  CHECK(capture(options).value().threads.empty());
  options.live = true;
  CHECK(capture(options).error().message ==
        tree.proc().string() + ": no process in it; is proc mounted there?");
  options.pid = 5;
  CHECK(capture(options).error().message.find("is proc mounted there?") != std::string::npos);
}

TEST_CASE("the load bounds the number of workers") {
  CHECK(capture_workers(8, 0.0) == 5);
  CHECK(capture_workers(8, 6.4) == 1);
  CHECK(capture_workers(8, 5.0) == 3);
  CHECK(capture_workers(8, 100.0) == 1);
  CHECK(capture_workers(1, 0.0) == 1);
}

TEST_CASE("this very process is captured live") {
  CaptureOptions options;
  options.pid = ::getpid();
  const auto snapshot = capture(options).value();
  REQUIRE(!snapshot.threads.empty());
  const auto& self = snapshot.threads[0];
  CHECK(self.tid == static_cast<std::uint32_t>(::getpid()));
  CHECK(self.state == StateLetter{'R'});
  CHECK(self.nr_threads->value >= 1);
  CHECK(self.comm == self.pcomm);
  CHECK(self.start_time_clock_ticks.value_or(0) > 0);
  CHECK(snapshot.captured_at_boot_ns.value_or(0) > 0);
  CHECK(snapshot.host.kernel_release.has_value());
  CHECK(snapshot.capturer_tgid == static_cast<std::uint32_t>(::getpid()));
}

}  // namespace ktstr::introspect::ctprof
