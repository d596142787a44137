#include "engine/guest/scheduler_control.h"

#include "engine/guest/clock.h"

namespace ktstr::engine::guest {
namespace {

using protocol::AttachScheduler;
using protocol::SchedulerChanged;

constexpr Duration kDefaultDetach = protocol::DetachScheduler{}.timeout;
/// A dead scheduler's program has had its time.
constexpr Duration kAtOnce = std::chrono::milliseconds(10);

std::optional<std::uint64_t> gap_between(const std::optional<std::uint64_t>& gone,
                                         const std::optional<std::uint64_t>& attached) {
  if (!gone || !attached) return std::nullopt;
  return *attached - std::min(*attached, *gone);
}

SchedulerChanged answered(SchedulerChanged changed) {
  changed.answered_ns = monotonic_ns();
  return changed;
}

}  // namespace

std::shared_ptr<SchedulerControl::Hurry> SchedulerControl::begin_change() {
  auto hurry = std::make_shared<Hurry>();
  hurry_ = hurry;
  return hurry;
}

std::unique_ptr<Scheduler> SchedulerControl::make_scheduler(AttachScheduler request) {
  return std::make_unique<Scheduler>(std::move(request), places_, [this] {
    if (const auto hurry = hurry_.lock()) hurry->threads.look();
  });
}

Status SchedulerControl::check_free(const AttachScheduler& request) const {
  if (attached_)
    return invalid_argument("the scheduler " + attached_->request().name + " is attached already");
  if (!request.program) return ok();
  const auto state = KTSTR_TRY(read_sched_ext(places_.directory));
  if (state.state != "disabled")
    return invalid_argument("sched_ext is " + state.state + " already, by " +
                            state.ops.value_or("nobody known") + ", which the agent has not started");
  return ok();
}

Result<SchedulerChanged> SchedulerControl::attach(const AttachScheduler& request) {
  const auto hurry = begin_change();
  return attach_now(request);
}

/// Whether it is preloaded or not: there is nothing that it would have to wait for.
Result<SchedulerChanged> SchedulerControl::attach_now(const AttachScheduler& request) {
  KTSTR_TRY(check_free(request));
  last_ = request;
  auto cold = request;
  cold.preloaded = false;
  attached_ = make_scheduler(std::move(cold));
  SchedulerChanged changed;
  changed.problem = attached_->start();
  if (!changed.problem) changed.problem = attached_->wait_attached();
  changed.current = attached_->status();
  if (changed.problem) attached_.reset();
  return answered(std::move(changed));
}

Result<SchedulerChanged> SchedulerControl::detach(Duration timeout) {
  const auto hurry = begin_change();
  return answered(detach_now(timeout));
}

SchedulerChanged SchedulerControl::detach_now(Duration timeout) {
  if (!attached_) return {};
  attached_->notice_death();
  SchedulerChanged changed;
  changed.problem = attached_->stop(timeout);
  changed.former = attached_->status();
  if (!changed.problem) attached_.reset();
  return changed;
}

Result<SchedulerChanged> SchedulerControl::replace(const AttachScheduler& next) {
  const auto hurry = begin_change();
  if (next.preloaded && next.program && attached_ && attached_->process() && attached_->is_alive())
    return answered(hand_over(next));
  const ShortTurns turns;
  auto left = detach_now(kDefaultDetach);
  if (left.problem) return answered(std::move(left));
  auto changed = KTSTR_TRY(attach_now(next));
  changed.former = std::move(left.former);
  if (changed.former && !changed.problem)
    changed.gap_ns = gap_between(changed.former->gone_ns, attached_->attached_ns());
  return changed;
}

SchedulerChanged SchedulerControl::hand_over(const AttachScheduler& next) {
  auto successor = make_scheduler(next);
  SchedulerChanged changed;
  changed.problem = successor->start();
  if (!changed.problem) changed.problem = successor->wait_held(*attached_);
  if (changed.problem)
    changed.current = successor->status();  // the former one goes on
  else
    exchange(std::move(successor), changed);
  return changed;
}

/// `successor` is held. A former one that has died meanwhile need not be asked to go.
void SchedulerControl::exchange(std::unique_ptr<Scheduler> successor, SchedulerChanged& changed) {
  last_ = successor->request();
  const bool died = !attached_->is_alive();
  const ShortTurns turns;
  if (!died) changed.problem = attached_->let_go(kDefaultDetach);
  if (changed.problem) {
    changed.former = attached_->status();
    return;
  }
  changed.problem = successor->attach_held();
  if (died) attached_->notice_death();
  attached_->finish(died ? kAtOnce : kDefaultDetach);
  changed.former = attached_->status();
  changed.current = successor->status();
  if (!changed.problem) changed.gap_ns = gap_between(attached_->gone_ns(), successor->attached_ns());
  attached_ = changed.problem ? nullptr : std::move(successor);
}

Result<SchedulerChanged> SchedulerControl::restart() {
  if (!last_) return invalid_argument("no scheduler was attached that could be started again");
  return replace(AttachScheduler(*last_));
}

SchedulerChanged SchedulerControl::query(Duration patience) {
  if (!attached_) return answered({});
  attached_->await_death(patience);
  attached_->notice_death();
  SchedulerChanged changed;
  if (attached_->death()) changed.problem = attached_->stop(kAtOnce);
  changed.current = attached_->status();
  if (attached_->death() && !changed.problem) attached_.reset();
  return answered(std::move(changed));
}

std::array<int, 2> SchedulerControl::fds() const {
  if (!attached_ || !attached_->process()) return {-1, -1};
  return {attached_->process()->output_fd(), attached_->process()->hold_fd()};
}

void SchedulerControl::take_in() {
  if (!attached_ || !attached_->process()) return;
  attached_->process()->read_output();
  attached_->process()->serve_hold();
}

bool SchedulerControl::reap(pid_t pid) {
  return attached_ && attached_->reap(pid);
}

}  // namespace ktstr::engine::guest
