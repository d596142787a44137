// SchedulerControl: the one scheduler that a session has attached, from its start to its end.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>

#include "engine/base/result.h"
#include "engine/guest/hurry.h"
#include "engine/guest/scheduler.h"
#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::guest {

/// Every request is carried out before it returns, under deadlines of its own. What goes wrong with a
/// scheduler is told in SchedulerChanged::problem with all there is to know of it; an Error means that the
/// request itself made no sense.
class SchedulerControl {
 public:
  explicit SchedulerControl(SchedExtPlaces places = {}) : places_(std::move(places)) {}
  SchedulerControl(const SchedulerControl&) = delete;
  SchedulerControl& operator=(const SchedulerControl&) = delete;

  /// Errors: kInvalidArgument when one is attached, or sched_ext is enabled by somebody else; kUnavailable
  /// without sched_ext.
  [[nodiscard]] Result<protocol::SchedulerChanged> attach(const protocol::AttachScheduler& request);
  /// Without a scheduler (it may have died and been told of) there is nothing to do, and nothing in the
  /// answer.
  [[nodiscard]] Result<protocol::SchedulerChanged> detach(Duration timeout);
  /// Detaches what is there, then attaches `next`; not when the kernel does not let the former one go. A
  /// preloaded one is started first, and held at its attach until the former one is gone: when it does not
  /// come that far, the former one goes on.
  [[nodiscard]] Result<protocol::SchedulerChanged> replace(const protocol::AttachScheduler& next);
  /// Errors besides: kInvalidArgument when there never was one.
  [[nodiscard]] Result<protocol::SchedulerChanged> restart();
  /// How it fares. One that died is forgotten once this, detach or replace has told of it.
  [[nodiscard]] protocol::SchedulerChanged query(Duration patience = {});

  /// To be polled for reading: its output, and calls of its program that wait for us; -1: there are none.
  [[nodiscard]] std::array<int, 2> fds() const;
  /// Takes in what made one of them readable.
  void take_in();
  /// Takes the end of the child `pid` in, and reaps it, if it is the scheduler.
  [[nodiscard]] bool reap(pid_t pid);
  /// Ends it at once, for cleaning up.
  void end() { attached_.reset(); }

 private:
  /// What of the kernel is hastened while a scheduler comes or goes.
  struct Hurry {
    UrgentKernelThreads threads;
    ExpeditedGracePeriods grace_periods;
  };

  [[nodiscard]] std::shared_ptr<Hurry> begin_change();
  [[nodiscard]] std::unique_ptr<Scheduler> make_scheduler(protocol::AttachScheduler request);
  [[nodiscard]] Result<protocol::SchedulerChanged> attach_now(const protocol::AttachScheduler& request);
  [[nodiscard]] protocol::SchedulerChanged detach_now(Duration timeout);
  [[nodiscard]] Status check_free(const protocol::AttachScheduler& request) const;
  [[nodiscard]] protocol::SchedulerChanged hand_over(const protocol::AttachScheduler& next);
  void exchange(std::unique_ptr<Scheduler> successor, protocol::SchedulerChanged& changed);

  SchedExtPlaces places_;
  std::weak_ptr<Hurry> hurry_;                     ///< that of the request that is carried out
  std::unique_ptr<Scheduler> attached_;            ///< or was until it died
  std::optional<protocol::AttachScheduler> last_;  ///< what a restart starts again
};

}  // namespace ktstr::engine::guest
