#include "introspect/ctprof/parse/task_files.h"

#include <doctest/doctest.h>

#include "tests/introspect/ctprof/sample_files.h"

namespace ktstr::introspect::ctprof {

TEST_CASE("stat gives its fields by their ordinals") {
  ThreadRecord record;
  const auto facts = parse_stat(test::kStat, record);
  CHECK(facts.kernel_thread == false);
  CHECK(record.minflt == MonotonicCount{99});
  CHECK(record.majflt == MonotonicCount{7});
  CHECK(record.utime_clock_ticks == ClockTicks{11});
  CHECK(record.stime_clock_ticks == ClockTicks{22});
  CHECK(record.priority == OrdinalI32{-3});
  CHECK(record.nice == OrdinalI32{-20});
  CHECK(record.start_time_clock_ticks == 2630513u);
  CHECK(record.processor == OrdinalI32{1});
  CHECK(record.rt_priority == OrdinalU32{2});
  CHECK(record.policy == Category{"SCHED_FIFO"});
}

TEST_CASE("a name with brackets, spaces and newlines does not move the fields") {
  ThreadRecord plain, odd;
  parse_stat(test::kStat, plain);
  std::string text(test::kStat);
  text.replace(text.find("(cat)"), 5, "(a) R 1 \n) (\xff)");
  parse_stat(text, odd);
  CHECK(odd == plain);
}

TEST_CASE("of a stat that is cut off, only whole fields count") {
  for (std::size_t size = 0; size < test::kStat.size(); ++size) {
    ThreadRecord whole, cut;
    parse_stat(test::kStat, whole);
    parse_stat(test::kStat.substr(0, size), cut);
    CHECK((!cut.start_time_clock_ticks || cut.start_time_clock_ticks == whole.start_time_clock_ticks));
    CHECK((!cut.minflt || cut.minflt == whole.minflt));
    CHECK((!cut.policy || cut.policy == whole.policy));
  }
}

TEST_CASE("a kernel thread is told by its flag") {
  ThreadRecord record;
  CHECK(parse_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 ", record).kernel_thread == true);
  CHECK(!parse_stat("2 (kthreadd) S 0 0", record).kernel_thread);
}

TEST_CASE("schedstat has three numbers") {
  ThreadRecord record;
  parse_schedstat("127882 335647 12\n", record);
  CHECK(record.run_time_ns == MonotonicNs{127882});
  CHECK(record.wait_time_ns == MonotonicNs{335647});
  CHECK(record.timeslices == MonotonicCount{12});
  ThreadRecord cut;
  parse_schedstat("127882 3356", cut);
  CHECK(cut.run_time_ns == MonotonicNs{127882});
  CHECK(!cut.wait_time_ns);
}

TEST_CASE("status and io are found by key") {
  ThreadRecord record;
  parse_status(
      "Name:\tcat\nState:\tt (tracing stop)\nThreads:\t3\nCpus_allowed_list:\t0-1,8\n"
      "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t6\n",
      record);
  CHECK(record.state == StateLetter{'t'});
  CHECK(record.nr_threads == GaugeCount{3});
  CHECK(record.cpu_affinity == CpuAffinity{"0-1,8"});
  CHECK(record.voluntary_csw == MonotonicCount{5});
  CHECK(record.nonvoluntary_csw == MonotonicCount{6});
  parse_io("rchar: 7294\nwchar: 318\nsyscr: 14\nsyscw: 2\nread_bytes: 4096\nwrite_bytes: 0\n", record);
  CHECK(record.rchar == Bytes{7294});
  CHECK(record.write_bytes == Bytes{0});
  CHECK(!record.cancelled_write_bytes);
}

TEST_CASE("sched gives plain and dotted values") {
  ThreadRecord record;
  CHECK(parse_sched(test::sched_file(test::kSchedLines), record) == 0);
  CHECK(record.nr_migrations == MonotonicCount{4});
  CHECK(record.nr_wakeups == MonotonicCount{17});
  CHECK(record.wait_sum == MonotonicNs{12'000'345});
  CHECK(record.wait_max == PeakNs{1'000'000});
  CHECK(record.block_sum == MonotonicNs{2'500'000});
  CHECK(record.voluntary_sleep_ns == MonotonicNs{7'500'000});
  CHECK(record.fair_slice_ns == GaugeNs{1'400'000});
  CHECK(record.ext_enabled == Flag{true});
  CHECK(!record.nr_wakeups_local);
}

TEST_CASE("voluntary sleep needs both its parts and is never negative") {
  ThreadRecord no_block, no_sleep, skewed;
  parse_sched(test::sched_file("sum_sleep_runtime : 10.000000\n"), no_block);
  CHECK(!no_block.voluntary_sleep_ns);
  parse_sched(test::sched_file("sum_block_runtime : 10.000000\n"), no_sleep);
  CHECK(!no_sleep.voluntary_sleep_ns);
  CHECK(no_sleep.block_sum == MonotonicNs{10'000'000});
  parse_sched(test::sched_file("sum_sleep_runtime : 1.000000\nsum_block_runtime : 1.000001\n"), skewed);
  CHECK(skewed.voluntary_sleep_ns == MonotonicNs{0});
}

TEST_CASE("negative times are absent and counted") {
  ThreadRecord record;
  CHECK(parse_sched(test::sched_file("wait_sum : -5.000000\nsleep_max : -0.000001\nexec_max : 1.000000\n"),
                    record) == 2);
  CHECK(!record.wait_sum);
  CHECK(!record.sleep_max);
  CHECK(record.exec_max == PeakNs{1'000'000});
}

TEST_CASE("a task's name can't pass for a line of sched") {
  ThreadRecord record;
  parse_sched(test::sched_file("nr_wakeups : 3\n", "\nse.slice:5\n"), record);
  CHECK(!record.fair_slice_ns);
  CHECK(record.nr_wakeups == MonotonicCount{3});
}

TEST_CASE("older kernels put a prefix before the names") {
  ThreadRecord record;
  parse_sched(test::sched_file("se.statistics.wait_max : 2.000000\n"), record);
  CHECK(record.wait_max == PeakNs{2'000'000});
}

TEST_CASE("smaps_rollup is taken by the kernel's names") {
  const auto kib = parse_smaps_rollup(
      "55d-7ff ---p 00000000 00:00 0      [rollup]\nRss:   1744 kB\nPss_Dirty: 3 kB\n"
      "Odd: 5 MB\nCut: 9 kB");
  CHECK(kib == std::map<std::string, std::uint64_t>{{"Rss", 1744}, {"Pss_Dirty", 3}});
  CHECK(!parse_smaps_rollup(""));
  CHECK(!parse_smaps_rollup("55d-7ff ---p 00000000 00:00 0      [rollup]\n"));
}

TEST_CASE("the cgroup is that of the v2 hierarchy") {
  CHECK(parse_cgroup_path("9:name=systemd:/x\n0::/user.slice/a b\n") == "/user.slice/a b");
  CHECK(parse_cgroup_path("0::/\n") == "/");
  CHECK(!parse_cgroup_path("9:name=systemd:/x\n"));
  CHECK(!parse_cgroup_path("0::/cut"));
}

TEST_CASE("garbage leaves everything absent") {
  ThreadRecord record;
  for (const std::string& text :
       {std::string(), std::string("\0\0\xff:\n", 6), std::string(200'000, 'x'), std::string(100'000, ':'),
        std::string(50'000, '\n'), std::string(")))) - - - \n")}) {
    parse_stat(text, record);
    parse_schedstat(text, record);
    parse_status(text, record);
    parse_io(text, record);
    parse_sched(text, record);
    CHECK(!parse_smaps_rollup(text));
    CHECK(!parse_cgroup_path(text));
  }
  CHECK(record == ThreadRecord{});
}

}  // namespace ktstr::introspect::ctprof
