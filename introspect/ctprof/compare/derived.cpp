#include "introspect/ctprof/compare/derived.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr std::string_view kAffine[] = {"nr_wakeups_affine"};
constexpr std::string_view kAffineAttempts[] = {"nr_wakeups_affine_attempts"};
constexpr std::string_view kWait[] = {"wait_sum"};
constexpr std::string_view kWaits[] = {"wait_count"};
constexpr std::string_view kRun[] = {"run_time_ns"};
constexpr std::string_view kRunAndWait[] = {"run_time_ns", "wait_time_ns"};
constexpr std::string_view kTimeslices[] = {"timeslices"};
constexpr std::string_view kInvoluntary[] = {"nonvoluntary_csw"};
constexpr std::string_view kSwitches[] = {"voluntary_csw", "nonvoluntary_csw"};
constexpr std::string_view kStorage[] = {"read_bytes", "write_bytes"};
constexpr std::string_view kCalls[] = {"rchar", "wchar"};
constexpr std::string_view kIowait[] = {"iowait_sum"};
constexpr std::string_view kIowaits[] = {"iowait_count"};
constexpr std::string_view kAllocated[] = {"allocated_bytes"};
constexpr std::string_view kDeallocated[] = {"deallocated_bytes"};
constexpr std::string_view kDelays[] = {
    "cpu_delay_total_ns",       "blkio_delay_total_ns",   "swapin_delay_total_ns", "freepages_delay_total_ns",
    "thrashing_delay_total_ns", "compact_delay_total_ns", "wpcopy_delay_total_ns", "irq_delay_total_ns"};
constexpr std::string_view kDelayCounts[] = {
    "cpu_delay_count",       "blkio_delay_count",   "swapin_delay_count", "freepages_delay_count",
    "thrashing_delay_count", "compact_delay_count", "wpcopy_delay_count", "irq_delay_count"};
// Without thrashing, whose waits are swapin's too.
constexpr std::string_view kOffCpu[] = {
    "cpu_delay_total_ns",     "blkio_delay_total_ns",  "swapin_delay_total_ns", "freepages_delay_total_ns",
    "compact_delay_total_ns", "wpcopy_delay_total_ns", "irq_delay_total_ns"};

constexpr DerivedMetric average_delay(std::string_view name, std::size_t delay, std::string_view doc) {
  return {name, "ns", std::span(kDelays).subspan(delay, 1), std::span(kDelayCounts).subspan(delay, 1), doc};
}

constexpr DerivedMetric kDerived[] = {
    {"affine_success_ratio", "ratio", kAffine, kAffineAttempts,
     "how often wake_affine() chose the waker's CPU"},
    {"avg_wait_ns", "ns", kWait, kWaits, "average wait on a run queue, ns"},
    {"cpu_efficiency", "ratio", kRun, kRunAndWait, "time running, of the time it wanted to run"},
    {"avg_slice_ns", "ns", kRun, kTimeslices, "average time on a CPU at a stretch, ns"},
    {"involuntary_csw_ratio", "ratio", kInvoluntary, kSwitches, "preemptions, of all context switches"},
    {"disk_io_fraction", "ratio", kStorage, kCalls,
     "bytes that went to or came from storage, of all read and written"},
    {"live_heap_estimate",
     "bytes",
     kAllocated,
     {},
     "bytes that jemalloc has handed out and not got back; of single threads, those that free what others "
     "allocated are below 0",
     kDeallocated},
    {"avg_iowait_ns", "ns", kIowait, kIowaits, "average I/O wait, ns"},
    average_delay("avg_cpu_delay_ns", 0, "average wait for a CPU (taskstats), ns"),
    average_delay("avg_blkio_delay_ns", 1, "average wait for block I/O, ns"),
    average_delay("avg_swapin_delay_ns", 2, "average wait for swapping in, ns"),
    average_delay("avg_freepages_delay_ns", 3, "average time reclaiming memory, ns"),
    average_delay("avg_thrashing_delay_ns", 4, "average wait for a page evicted while in use, ns"),
    average_delay("avg_compact_delay_ns", 5, "average time compacting memory, ns"),
    average_delay("avg_wpcopy_delay_ns", 6, "average time copying a page on a write-protect fault, ns"),
    average_delay("avg_irq_delay_ns", 7, "average time held up by interrupts, ns"),
    {"total_offcpu_delay_ns", "ns", kOffCpu, {}, "all delays but thrashing, which swapin includes, ns"},
};

std::optional<double> sum(std::span<const std::string_view> names, const SumOf& sum_of) {
  double total = 0;
  for (const auto name : names) {
    const auto* metric = find_metric(name);
    const auto number = metric ? sum_of(*metric) : std::nullopt;
    if (!number) return std::nullopt;
    total += *number;
  }
  return total;
}

}  // namespace

std::span<const DerivedMetric> derived_metrics() {
  return kDerived;
}

Aggregate derive(const DerivedMetric& metric, const SumOf& sum_of) {
  const auto numerator = sum(metric.numerator, sum_of);
  const auto less = sum(metric.less, sum_of);
  if (!numerator || !less) return {};
  if (metric.denominator.empty()) return Derived{*numerator - *less};
  const auto denominator = sum(metric.denominator, sum_of);
  if (!denominator || *denominator == 0) return {};
  return Derived{(*numerator - *less) / *denominator};
}

Aggregate derive(const DerivedMetric& metric, Threads threads) {
  return derive(metric, [threads](const Metric& part) { return number_of(aggregate(part, threads)); });
}

DerivedKind kind_of(const DerivedMetric& metric) {
  if (!metric.denominator.empty()) return DerivedKind::kQuotient;
  return metric.less.empty() ? DerivedKind::kTotal : DerivedKind::kLevel;
}

}  // namespace ktstr::introspect::ctprof
