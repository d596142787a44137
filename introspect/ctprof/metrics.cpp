#include "introspect/ctprof/metrics.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace ktstr::introspect::ctprof {
namespace {

using R = ThreadRecord;
using enum Decode;
using enum Gate;

constexpr Source stat(std::uint16_t field, Decode decode = kInteger) {
  return {SourceFile::kStat, {}, field, decode, kNone};
}
constexpr Source schedstat(std::uint16_t field) {
  return {SourceFile::kSchedstat, {}, field, kInteger, kSchedInfo};
}
constexpr Source status(std::string_view key, Decode decode = kInteger) {
  return {SourceFile::kStatus, key, 0, decode, kNone};
}
constexpr Source sched(std::string_view key, Decode decode = kInteger, Gate gate = kSchedstats) {
  return {SourceFile::kSched, key, 0, decode, gate};
}
constexpr Source io(std::string_view key) {
  return {SourceFile::kIo, key, 0, kInteger, kTaskIo};
}
/// Offsets of version 16 of the struct (taskstats.h).
constexpr Source taskstats(std::uint16_t offset, Gate gate = kDelays, Decode decode = kInteger) {
  return {SourceFile::kTaskstats, {}, offset, decode, gate};
}

/// A member of struct tsd_s of jemalloc's tsd.h.
constexpr Source jemalloc(std::string_view member) {
  return {SourceFile::kJemalloc, member, 0, kInteger, Gate::kJemalloc};
}

// Fields of stat: fs/proc/array.c, do_task_stat(). Keys of sched: kernel/sched/debug.c,
// proc_sched_show_task().
constexpr Metric kMetrics[] = {
    {"policy", &R::policy, stat(41, kPolicy), "scheduling policy"},
    {"nice", &R::nice, stat(19), "nice value, -20 to 19"},
    {"priority", &R::priority, stat(18),
     "the kernel's priority: 0 to 39 for fair tasks, -2 to -100 for real-time ones, -101 for deadline"},
    {"rt_priority", &R::rt_priority, stat(40), "real-time priority; 0 for tasks that are not real-time"},
    {"cpu_affinity", &R::cpu_affinity, status("Cpus_allowed_list", kCpuList),
     "CPUs that the thread may run on (sched_getaffinity, else this line)"},
    {"processor", &R::processor, stat(39), "the CPU it last ran on"},
    {"state", &R::state, status("State", kLetter), "task state: R, S, D, T, t, X, Z, P or I"},
    {"ext_enabled", &R::ext_enabled, sched("ext.enabled", kFlag, kSchedExt),
     "whether sched_ext schedules it"},
    {"nr_threads", &R::nr_threads, status("Threads"), "threads of the process; of its first thread only"},
    {"run_time_ns", &R::run_time_ns, schedstat(1), "time on a CPU, ns"},
    {"wait_time_ns", &R::wait_time_ns, schedstat(2), "time runnable but not running, ns"},
    {"timeslices", &R::timeslices, schedstat(3), "times it was put on a CPU"},
    {"voluntary_csw", &R::voluntary_csw, status("voluntary_ctxt_switches"),
     "context switches of its own accord"},
    {"nonvoluntary_csw", &R::nonvoluntary_csw, status("nonvoluntary_ctxt_switches"),
     "context switches by preemption"},
    {"nr_wakeups", &R::nr_wakeups, sched("nr_wakeups"), "wakeups"},
    {"nr_wakeups_local", &R::nr_wakeups_local, sched("nr_wakeups_local"),
     "wakeups by a task on the CPU that it then ran on"},
    {"nr_wakeups_remote", &R::nr_wakeups_remote, sched("nr_wakeups_remote"),
     "wakeups by a task on another CPU"},
    {"nr_wakeups_sync", &R::nr_wakeups_sync, sched("nr_wakeups_sync"),
     "wakeups by a task that said it was about to sleep (WF_SYNC)"},
    {"nr_wakeups_migrate", &R::nr_wakeups_migrate, sched("nr_wakeups_migrate"),
     "wakeups that moved it to another CPU"},
    {"nr_wakeups_affine", &R::nr_wakeups_affine, sched("nr_wakeups_affine"),
     "wakeups for which wake_affine() chose the waker's CPU; fair class only"},
    {"nr_wakeups_affine_attempts", &R::nr_wakeups_affine_attempts, sched("nr_wakeups_affine_attempts"),
     "times wake_affine() was asked; fair class only"},
    {"nr_migrations", &R::nr_migrations, sched("se.nr_migrations", kInteger, kNone),
     "moves from one CPU to another"},
    {"nr_forced_migrations", &R::nr_forced_migrations, sched("nr_forced_migrations"),
     "moves by the load balancer although its cache was hot"},
    {"nr_failed_migrations_affine", &R::nr_failed_migrations_affine, sched("nr_failed_migrations_affine"),
     "moves that its affinity forbade"},
    {"nr_failed_migrations_running", &R::nr_failed_migrations_running, sched("nr_failed_migrations_running"),
     "moves that failed because it was running"},
    {"nr_failed_migrations_hot", &R::nr_failed_migrations_hot, sched("nr_failed_migrations_hot"),
     "moves that were not made because its cache was hot"},
    {"wait_sum", &R::wait_sum, sched("wait_sum", kDotted),
     "time waiting on a run queue, ns; not counted under sched_ext"},
    {"wait_count", &R::wait_count, sched("wait_count"), "waits on a run queue; not counted under sched_ext"},
    {"wait_max", &R::wait_max, sched("wait_max", kDotted),
     "the longest wait on a run queue, ns; not counted under sched_ext"},
    {"voluntary_sleep_ns", &R::voluntary_sleep_ns, sched("sum_sleep_runtime", kDotted),
     "time in interruptible sleep, ns: sum_sleep_runtime less sum_block_runtime"},
    {"sleep_max", &R::sleep_max, sched("sleep_max", kDotted), "the longest sleep, ns"},
    {"block_sum", &R::block_sum, sched("sum_block_runtime", kDotted), "time in uninterruptible sleep, ns"},
    {"block_max", &R::block_max, sched("block_max", kDotted), "the longest uninterruptible sleep, ns"},
    {"iowait_sum", &R::iowait_sum, sched("iowait_sum", kDotted),
     "the part of block_sum that was I/O wait, ns"},
    {"iowait_count", &R::iowait_count, sched("iowait_count"), "I/O waits"},
    {"exec_max", &R::exec_max, sched("exec_max", kDotted),
     "the longest time on a CPU between two updates of its run time, ns"},
    {"slice_max", &R::slice_max, sched("slice_max", kDotted),
     "the longest slice before preemption, ns; fair class only"},
    {"core_forceidle_sum", &R::core_forceidle_sum, sched("core_forceidle_sum", kDotted, kSchedCore),
     "time it kept its SMT siblings idle under core scheduling, ns"},
    {"fair_slice_ns", &R::fair_slice_ns, sched("se.slice", kInteger, kNone),
     "its current slice in the fair class, ns; stale under sched_ext"},
    {"allocated_bytes", &R::allocated_bytes, jemalloc("thread_allocated"), "bytes allocated from jemalloc"},
    {"deallocated_bytes", &R::deallocated_bytes, jemalloc("thread_deallocated"),
     "bytes given back to jemalloc, whichever thread had allocated them"},
    {"minflt", &R::minflt, stat(10), "page faults without I/O"},
    {"majflt", &R::majflt, stat(12), "page faults with I/O"},
    {"utime_clock_ticks", &R::utime_clock_ticks, stat(14), "user time, ticks of 1/100 s"},
    {"stime_clock_ticks", &R::stime_clock_ticks, stat(15), "kernel time, ticks of 1/100 s"},
    {"rchar", &R::rchar, io("rchar"), "bytes read by system calls, cached ones included"},
    {"wchar", &R::wchar, io("wchar"), "bytes written by system calls"},
    {"syscr", &R::syscr, io("syscr"), "read calls"},
    {"syscw", &R::syscw, io("syscw"), "write calls"},
    {"read_bytes", &R::read_bytes, io("read_bytes"), "bytes read from storage"},
    {"write_bytes", &R::write_bytes, io("write_bytes"), "bytes sent to storage"},
    {"cancelled_write_bytes", &R::cancelled_write_bytes, io("cancelled_write_bytes"),
     "bytes that it kept from being written by truncating; they were another's perhaps"},
    {"cpu_delay_count", &R::cpu_delay_count, taskstats(16, kCpuDelay), "times spent waiting on a run queue"},
    {"cpu_delay_total_ns", &R::cpu_delay_total_ns, taskstats(24, kCpuDelay),
     "time spent waiting on a run queue, ns"},
    {"cpu_delay_max_ns", &R::cpu_delay_max_ns, taskstats(432, kCpuDelay),
     "the longest single time spent waiting on a run queue, ns"},
    {"cpu_delay_min_ns", &R::cpu_delay_min_ns, taskstats(440, kCpuDelay),
     "the shortest single time spent waiting on a run queue, ns"},
    {"blkio_delay_count", &R::blkio_delay_count, taskstats(32),
     "times spent waiting for synchronous block I/O"},
    {"blkio_delay_total_ns", &R::blkio_delay_total_ns, taskstats(40),
     "time spent waiting for synchronous block I/O, ns"},
    {"blkio_delay_max_ns", &R::blkio_delay_max_ns, taskstats(448),
     "the longest single time spent waiting for synchronous block I/O, ns"},
    {"blkio_delay_min_ns", &R::blkio_delay_min_ns, taskstats(456),
     "the shortest single time spent waiting for synchronous block I/O, ns"},
    {"swapin_delay_count", &R::swapin_delay_count, taskstats(48),
     "times spent waiting for a page to be swapped in; a thrashing wait is one of these too"},
    {"swapin_delay_total_ns", &R::swapin_delay_total_ns, taskstats(56),
     "time spent waiting for a page to be swapped in; a thrashing wait is one of these too, ns"},
    {"swapin_delay_max_ns", &R::swapin_delay_max_ns, taskstats(464),
     "the longest single time spent waiting for a page to be swapped in; a thrashing wait is one of these "
     "too, ns"},
    {"swapin_delay_min_ns", &R::swapin_delay_min_ns, taskstats(472),
     "the shortest single time spent waiting for a page to be swapped in; a thrashing wait is one of these "
     "too, ns"},
    {"freepages_delay_count", &R::freepages_delay_count, taskstats(312),
     "times spent reclaiming memory itself"},
    {"freepages_delay_total_ns", &R::freepages_delay_total_ns, taskstats(320),
     "time spent reclaiming memory itself, ns"},
    {"freepages_delay_max_ns", &R::freepages_delay_max_ns, taskstats(480),
     "the longest single time spent reclaiming memory itself, ns"},
    {"freepages_delay_min_ns", &R::freepages_delay_min_ns, taskstats(488),
     "the shortest single time spent reclaiming memory itself, ns"},
    {"thrashing_delay_count", &R::thrashing_delay_count, taskstats(328),
     "times spent waiting for a page that was evicted while in use; each is a swapin wait too"},
    {"thrashing_delay_total_ns", &R::thrashing_delay_total_ns, taskstats(336),
     "time spent waiting for a page that was evicted while in use; each is a swapin wait too, ns"},
    {"thrashing_delay_max_ns", &R::thrashing_delay_max_ns, taskstats(496),
     "the longest single time spent waiting for a page that was evicted while in use; each is a swapin wait "
     "too, ns"},
    {"thrashing_delay_min_ns", &R::thrashing_delay_min_ns, taskstats(504),
     "the shortest single time spent waiting for a page that was evicted while in use; each is a swapin wait "
     "too, ns"},
    {"compact_delay_count", &R::compact_delay_count, taskstats(352), "times spent compacting memory"},
    {"compact_delay_total_ns", &R::compact_delay_total_ns, taskstats(360),
     "time spent compacting memory, ns"},
    {"compact_delay_max_ns", &R::compact_delay_max_ns, taskstats(512),
     "the longest single time spent compacting memory, ns"},
    {"compact_delay_min_ns", &R::compact_delay_min_ns, taskstats(520),
     "the shortest single time spent compacting memory, ns"},
    {"wpcopy_delay_count", &R::wpcopy_delay_count, taskstats(400),
     "times spent copying a page on a write-protect fault"},
    {"wpcopy_delay_total_ns", &R::wpcopy_delay_total_ns, taskstats(408),
     "time spent copying a page on a write-protect fault, ns"},
    {"wpcopy_delay_max_ns", &R::wpcopy_delay_max_ns, taskstats(528),
     "the longest single time spent copying a page on a write-protect fault, ns"},
    {"wpcopy_delay_min_ns", &R::wpcopy_delay_min_ns, taskstats(536),
     "the shortest single time spent copying a page on a write-protect fault, ns"},
    {"irq_delay_count", &R::irq_delay_count, taskstats(416), "times spent held up by interrupt handlers"},
    {"irq_delay_total_ns", &R::irq_delay_total_ns, taskstats(424),
     "time spent held up by interrupt handlers, ns"},
    {"irq_delay_max_ns", &R::irq_delay_max_ns, taskstats(544),
     "the longest single time spent held up by interrupt handlers, ns"},
    {"irq_delay_min_ns", &R::irq_delay_min_ns, taskstats(552),
     "the shortest single time spent held up by interrupt handlers, ns"},
    {"hiwater_rss_bytes", &R::hiwater_rss_bytes, taskstats(200, kXacct, kKib),
     "the most resident memory the process ever had, bytes"},
    {"hiwater_vm_bytes", &R::hiwater_vm_bytes, taskstats(208, kXacct, kKib),
     "the most virtual memory the process ever had, bytes"},
};

// Every member is either in the table or one of seven: six that say which thread it is, and smaps_rollup_kib.
constexpr std::size_t kMembers = std::size(kMetrics) + 7;
static_assert(ktstr::detail::takes_members<R>(std::make_index_sequence<kMembers>{}) &&
                  !ktstr::detail::takes_members<R>(std::make_index_sequence<kMembers + 1>{}),
              "every member of ThreadRecord needs a row");

constexpr bool before(const Metric* a, const Metric* b) {
  return std::tie(a->source.key, a->source.place) < std::tie(b->source.key, b->source.place);
}

}  // namespace

std::span<const Metric> metrics() {
  return kMetrics;
}

const Metric* find_metric(std::string_view name) {
  static const auto by_name = [] {
    std::array<const Metric*, std::size(kMetrics)> sorted;
    std::transform(std::begin(kMetrics), std::end(kMetrics), sorted.begin(),
                   [](const Metric& m) { return &m; });
    std::ranges::sort(sorted, {}, &Metric::name);
    return sorted;
  }();
  const auto found = std::ranges::lower_bound(by_name, name, {}, &Metric::name);
  return found != by_name.end() && (*found)->name == name ? *found : nullptr;
}

SourceIndex::SourceIndex(SourceFile file) {
  for (const auto& metric : kMetrics)
    if (metric.source.file == file) metrics_.push_back(&metric);
  std::ranges::sort(metrics_, before);
}

const SourceIndex& SourceIndex::of(SourceFile file) {
  static const std::array<SourceIndex, std::size(describe<SourceFile>.values)> indices = {
      SourceIndex(SourceFile::kStat),    SourceIndex(SourceFile::kSchedstat),
      SourceIndex(SourceFile::kStatus),  SourceIndex(SourceFile::kSched),
      SourceIndex(SourceFile::kIo),      SourceIndex(SourceFile::kTaskstats),
      SourceIndex(SourceFile::kJemalloc)};
  return indices[static_cast<std::size_t>(file)];
}

const Metric* SourceIndex::find(std::string_view key) const {
  const auto key_of = [](const Metric* metric) { return metric->source.key; };
  const auto found = std::ranges::lower_bound(metrics_, key, {}, key_of);
  return found != metrics_.end() && (*found)->source.key == key ? *found : nullptr;
}

std::string_view unit_of(Kind kind) {
  switch (kind) {
    case Kind::kMonotonicNs:
    case Kind::kPeakNs:
    case Kind::kGaugeNs:
      return "ns";
    case Kind::kBytes:
    case Kind::kPeakBytes:
      return "bytes";
    case Kind::kClockTicks:
      return "ticks";
    case Kind::kCpuSet:
      return "cpus";
    default:
      return "";
  }
}

std::string_view gate_text(Gate gate) {
  constexpr std::string_view kTexts[] = {
      // in the order of Gate
      "",
      "CONFIG_SCHED_INFO",
      "CONFIG_SCHEDSTATS, kernel.sched_schedstats=1",
      "CONFIG_SCHED_CLASS_EXT",
      "CONFIG_SCHED_CORE, CONFIG_SCHEDSTATS, kernel.sched_schedstats=1",
      "CONFIG_TASK_IO_ACCOUNTING",
      "CONFIG_TASK_DELAY_ACCT, CAP_NET_ADMIN",
      "CONFIG_TASK_DELAY_ACCT, kernel.task_delayacct=1, CAP_NET_ADMIN",
      "CONFIG_TASK_XACCT, CAP_NET_ADMIN",
      "jemalloc with debug information, CAP_SYS_PTRACE",
  };
  return kTexts[static_cast<std::size_t>(gate)];
}

}  // namespace ktstr::introspect::ctprof
