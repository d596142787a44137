#include "engine/run/observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/observe/machine_memory.h"
#include "engine/report/text_sections.h"
#include "introspect/scx/watchdog.h"

namespace ktstr::engine {
namespace {

constexpr Duration kFreezeDeadline = std::chrono::seconds(10);

/// Scheduling domains change rarely and cost more to read than the run queues: about once a second is enough.
std::uint32_t domains_every(Duration period) {
  return static_cast<std::uint32_t>(
      std::max<std::int64_t>(1, std::int64_t{1'000'000'000} / std::max<std::int64_t>(1, period.ns)));
}

SchedulerExitReport to_report(introspect::ScxExitRecord record) {
  SchedulerExitReport report{.source = "guest memory", .kind = std::move(record.kind_name), .backtrace = {}};
  if (!report.kind) report.kind = std::to_string(record.kind);
  report.code = record.exit_code;
  report.reason = std::move(record.reason);
  report.message = std::move(record.msg);
  report.dump = std::move(record.dump);
  for (auto& frame : record.backtrace)
    report.backtrace.push_back(frame.symbol ? std::move(*frame.symbol) : fmt::format("{:#x}", frame.address));
  return report;
}

}  // namespace

Observer::Observer(vmm::Machine& machine, const ObserverOptions& options)
    : machine_(machine), options_(options), memory_(machine_memory(machine)) {}

Result<std::unique_ptr<Observer>> Observer::attach(
    vmm::Machine& machine, std::shared_ptr<const introspect::KernelDebugInfo> debug_info,
    const ObserverOptions& options) {
  std::unique_ptr<Observer> observer(new Observer(machine, options));
  KTSTR_TRY(observer->find_kernel(std::move(debug_info)));
  KTSTR_TRY(observer->begin());
  return observer;
}

/// The guest must go on whether its kernel was found or not.
Status Observer::find_kernel(std::shared_ptr<const introspect::KernelDebugInfo> debug_info) {
  const auto frozen = KTSTR_TRY(machine_.freeze(kFreezeDeadline));
  KTSTR_TRY(machine_.thaw());
  kernel_.emplace(
      KTSTR_TRY(introspect::Kernel::attach(memory_, std::move(debug_info), cpu_contexts(frozen))));
  return ok();
}

Status Observer::begin() {
  sampler_.emplace(
      KTSTR_TRY(introspect::Sampler::create(*kernel_, {.domains_every = domains_every(options_.period)})));
  auto watch = ExitWatch::start(*kernel_);
  if (watch)
    exit_watch_ = std::move(*watch);
  else if (watch.error().code != ErrorCode::kNotFound)
    return Error(watch.error());
  thread_.emplace(MonitorThreadOptions{options_.period, options_.epoch, machine_.vcpu_thread_ids()},
                  [this](Duration elapsed, auto cpu_times) { return sampler_->sample(elapsed, cpu_times); });
  return ok();
}

std::vector<SchedulerExitReport> Observer::exit_records() {
  std::vector<SchedulerExitReport> reports;
  if (exit_watch_)
    for (auto& record : exit_watch_->take()) reports.push_back(to_report(std::move(record)));
  return reports;
}

Result<WatchdogReport> Observer::set_watchdog(std::uint32_t hz, Duration timeout) {
  const auto watchdog = KTSTR_TRY(introspect::ScxWatchdog::create(*kernel_));
  auto memory = writable_memory(machine_);
  const auto asked_ns = static_cast<std::uint64_t>(timeout.ns);
  const auto tick_ns = 1'000'000'000 / hz;
  const auto change = KTSTR_TRY(watchdog.set(*kernel_, memory, (asked_ns + tick_ns - 1) / tick_ns));
  return WatchdogReport{
      .own_ns = change.before * tick_ns, .asked_ns = asked_ns, .read_back_ns = change.after * tick_ns};
}

std::vector<introspect::EventCounterSample> Observer::event_timeline() const {
  const auto other = sampler_->other_event_names();
  std::vector<introspect::EventCounterSample> timeline;
  thread_->look_at_samples(
      [&](const auto& samples) { timeline = introspect::event_timeline(samples, other); });
  return timeline;
}

void Observer::stop(introspect::MonitorReport& report, SamplingReport& sampling) {
  auto taken = thread_->stop();
  exit_watch_.reset();
  report.period_ns = static_cast<std::uint64_t>(options_.period.ns);
  report.other_event_names = sampler_->other_event_names();
  report.missing = sampler_->missing();
  report.failed_samples = taken.failed_samples;
  report.first_failure = std::move(taken.first_failure);
  report.samples = std::move(taken.samples);
  sampling.missed_periods = taken.missed_periods;
  sampling.sample_bytes = report.samples.bytes();
  for (const auto& slower : taken.slower)
    sampling.slower.push_back(fmt::format(
        "every {} from {} on", format_duration(Duration(static_cast<std::int64_t>(slower.period_ns))),
        time_text(slower.elapsed_ns)));
}

}  // namespace ktstr::engine
