// sequence: goes through its phases, over and over. Work unit: a thousand loop turns, a yield, a write, or a
// sleep to its end. Iteration: all phases once. Its wake latency is that of the sleep phases.
#include <sched.h>

#include <vector>

#include "engine/guest/clock.h"
#include "engine/guest/works/scratch_file.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kWriteBytes = 4096;

/// Runs one phase after another; opens the file of io phases when the first comes.
class PhaseRunner {
 public:
  explicit PhaseRunner(Recorder& recorder) : recorder_(recorder) {}

  Status operator()(const SpinPhase& phase) {
    spin_until(recorder_, end_of(phase.duration));
    return ok();
  }
  Status operator()(const SleepPhase& phase) {
    sleep_until(recorder_, end_of(phase.duration));
    if (!stopping()) recorder_.work(1);
    return ok();
  }
  Status operator()(const YieldPhase& phase) {
    for (const auto end = end_of(phase.duration); !stopping() && recorder_.last_progress_ns() < end;
         recorder_.work(1))
      ::sched_yield();
    return ok();
  }
  Status operator()(const IoPhase& phase) {
    if (!file_) file_ = KTSTR_TRY(open_scratch_file());
    for (const auto end = end_of(phase.duration); !stopping() && recorder_.last_progress_ns() < end;
         recorder_.work(1))
      KTSTR_TRY(write_at_start(file_.get(), data_));
    return ok();
  }

 private:
  static std::uint64_t end_of(Duration duration) {
    return monotonic_ns() + static_cast<std::uint64_t>(duration.ns);
  }

  Recorder& recorder_;
  Fd file_;
  std::vector<char> data_ = std::vector<char>(kWriteBytes, 'k');
};

}  // namespace

Status run(const Sequence& work, WorkContext context) {
  if (work.phases.empty()) return invalid_argument("sequence: there are no phases");
  PhaseRunner runner(context.recorder);
  while (!stopping()) {
    for (const auto& phase : work.phases) KTSTR_TRY(std::visit(runner, phase));
    context.recorder.iteration(0);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
