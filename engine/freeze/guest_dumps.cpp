#include "engine/freeze/guest_dumps.h"

namespace ktstr::engine {

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

std::unique_ptr<SchedulerWatch::Expected> GuestDumps::expect_scheduler_end() {
  return watch_ ? std::make_unique<SchedulerWatch::Expected>(*watch_) : nullptr;
}

std::optional<Error> GuestDumps::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

}  // namespace ktstr::engine
