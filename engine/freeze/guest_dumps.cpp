#include "engine/freeze/guest_dumps.h"

#include <new>
#include <system_error>

#include "engine/report/artifacts.h"

namespace ktstr::engine {
namespace {

std::string schema_of(const introspect::FailureDump& dump) {
  return std::visit([](const auto& report) { return report.schema; }, dump);
}

}  // namespace

std::string DumpRecorder::file_name(const std::string& stem, const std::string& name) {
  return artifact_name(stem, name) + ".json";
}

std::filesystem::path DumpRecorder::next_path(introspect::DumpCause cause, const std::string& name) {
  auto text = cause == introspect::DumpCause::kRequested ? name + ".dump" : std::string("failure-dump");
  if (const int times = ++used_[file_name_part(text)]; times > 1) text += "-" + std::to_string(times);
  return options_.directory / file_name(options_.stem, text);
}

void DumpRecorder::write(const std::filesystem::path& path, TakenDump& taken) const {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  try {
    if (const auto written = introspect::write_dump(path, taken.dump); written)
      taken.report.file = path.string();
    else
      taken.report.problem = written.error().message;
  } catch (const std::bad_alloc&) {
    taken.report.problem = "out of memory while " + path.string() + " was written";
  }
}

Status DumpRecorder::take(introspect::DumpCause cause, const std::string& name, const std::string& detail) {
  const Duration elapsed(std::chrono::steady_clock::now() - options_.epoch);
  auto capture = KTSTR_TRY(coordinator_.capture({cause, name, detail, elapsed}));
  TakenDump taken{std::move(capture.dump),
                  {.name = name,
                   .cause = std::string(enum_name(cause)),
                   .detail = detail,
                   .schema = {},
                   .elapsed_ns = static_cast<std::uint64_t>(elapsed.ns),
                   .frozen_ns = static_cast<std::uint64_t>(capture.frozen.ns)}};
  taken.report.schema = schema_of(taken.dump);
  const std::lock_guard lock(mutex_);
  write(next_path(cause, name), taken);
  taken_.push_back(std::move(taken));
  if (capture.thaw_problem) return std::move(*capture.thaw_problem).with_context("after a dump");
  return ok();
}

std::vector<TakenDump> DumpRecorder::collect() {
  const std::lock_guard lock(mutex_);
  return std::exchange(taken_, {});
}

GuestDumps::GuestDumps(vmm::Machine& machine, const introspect::Kernel& kernel, GuestDumpOptions options)
    : kernel_(kernel),
      timeline_source_(std::move(options.timeline)),
      on_scheduler_end_(std::move(options.on_scheduler_end)),
      readers_(kernel),
      coordinator_(
          machine, [this](const auto& registers, auto deadline) { return capture(registers, deadline); },
          [this]() -> std::optional<std::uint32_t> {
            const auto kind = look();
            return kind ? std::optional(kind->kind) : std::nullopt;
          },
          options.freeze),
      recorder_(coordinator_, std::move(options.recorder)) {
  if (readers_.exits) start_watching();
}

FreezeCoordinator::Render GuestDumps::capture(
    const std::vector<std::optional<introspect::VcpuRegSnapshot>>& registers,
    FreezeCoordinator::Clock::time_point deadline) const {
  // shared: what is in a std::function must be copyable
  auto state =
      std::make_shared<introspect::CapturedState>(introspect::capture_state({.kernel = kernel_,
                                                                             .readers = readers_,
                                                                             .registers = registers,
                                                                             .event_timeline = timeline_,
                                                                             .deadline = deadline}));
  return [state] { return render_state(std::move(*state)); };
}

std::optional<introspect::ScxExitKind> GuestDumps::look() const {
  if (!readers_.exits) return std::nullopt;
  const auto kind = readers_.exits->read_exit_kind(kernel_);
  return kind ? *kind : std::nullopt;
}

void GuestDumps::start_watching() {
  watch_ =
      std::make_unique<SchedulerWatch>([this] { return readers_.exits->read_exit_kind(kernel_); },
                                       [this](std::uint32_t kind) { return readers_.exits->is_error(kind); },
                                       [this](const SchedulerEnd& end) {
                                         if (on_scheduler_end_) on_scheduler_end_(end);
                                         if (auto taken = take(end.cause, {}, end.detail); !taken) {
                                           const std::lock_guard lock(failure_mutex_);
                                           if (!failure_) failure_ = std::move(taken.error());
                                         }
                                       });
}

Status GuestDumps::take(introspect::DumpCause cause, const std::string& name, const std::string& detail) {
  const std::lock_guard lock(take_mutex_);
  timeline_ = timeline_source_ ? timeline_source_() : std::vector<introspect::EventCounterSample>{};
  return recorder_.take(cause, name, detail);
}

Status GuestDumps::capture_snapshot(const std::string& name) {
  return take(introspect::DumpCause::kRequested, name, {});
}

Status GuestDumps::capture_panic(const std::string& line) {
  stop_watching();
  return take(introspect::DumpCause::kGuestPanic, {}, line);
}

std::unique_ptr<SchedulerWatch::Expected> GuestDumps::expect_scheduler_end() {
  return watch_ ? std::make_unique<SchedulerWatch::Expected>(*watch_) : nullptr;
}

std::optional<Error> GuestDumps::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

}  // namespace ktstr::engine
