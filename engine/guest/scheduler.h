// Scheduler: one scheduler in the guest, from its start to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/guest/sched_ext_files.h"
#include "engine/guest/scheduler_process.h"
#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::guest {

/// The kernel's directory and device that tell of sched_ext.
struct SchedExtPlaces {
  std::string directory = kSchedExtDirectory;
  const char* log = "/dev/kmsg";
};

/// A program with a scheduler, or one of the kernel's own that is turned on by writing. Every call keeps
/// deadlines of its own; what goes wrong is a Problem, one line with all there is to know. sysfs does not
/// tell of changes: the kernel is looked at every few ms, and every look is dated.
class Scheduler {
 public:
  using Problem = std::optional<std::string>;

  /// `on_look` is called whenever the kernel is looked at while something is waited for.
  Scheduler(protocol::AttachScheduler request, const SchedExtPlaces& places,
            std::function<void()> on_look = {});

  [[nodiscard]] const protocol::AttachScheduler& request() const { return request_; }
  [[nodiscard]] const std::optional<std::string>& death() const { return death_; }
  [[nodiscard]] std::optional<SchedulerProcess>& process() { return process_; }

  /// Starts it: writes its control files, then its program or its commands.
  [[nodiscard]] Problem start();
  /// Waits until the kernel runs it, up to the request's timeout. Its program is urgent until then.
  [[nodiscard]] Problem wait_attached();
  /// Waits until its program is held at its attach, or has attached itself since `former` is gone.
  [[nodiscard]] Problem wait_held(Scheduler& former);
  /// Lets a held one attach, and waits until the kernel runs it.
  [[nodiscard]] Problem attach_held();

  /// Whether it does what it was started for: the kernel runs it, and its program lives.
  [[nodiscard]] bool is_alive();
  /// Waits up to `patience` until it is dead.
  void await_death(Duration patience);
  /// Notes that it died, when it did, and lets its program say why.
  void notice_death();
  /// Takes the end of the child `pid` in, and reaps it, if it is its program.
  [[nodiscard]] bool reap(pid_t pid);

  /// Ends its program (SIGTERM, SIGKILL after `timeout`), then waits until the kernel has let it go. Why it
  /// is still there otherwise.
  [[nodiscard]] Problem stop(Duration timeout);
  /// As stop(), but returns as soon as the kernel has let it go; finish() does the rest.
  [[nodiscard]] Problem let_go(Duration timeout);
  /// Waits for its program's end, and kills it after `timeout`.
  void finish(Duration timeout);

  [[nodiscard]] protocol::SchedulerStatus status();
  [[nodiscard]] std::optional<std::uint64_t> attached_ns() const { return attached_ns_; }
  [[nodiscard]] std::optional<std::uint64_t> gone_ns() const { return gone_ns_; }

 private:
  [[nodiscard]] bool wait_for(Duration timeout, Duration look, const std::function<bool()>& condition);
  [[nodiscard]] Problem wait_attached(Duration timeout, Duration look);
  [[nodiscard]] bool kernel_runs_it();
  [[nodiscard]] bool take_attachment();
  [[nodiscard]] bool kernel_is_free() const;
  [[nodiscard]] std::string state() const;
  /// "; its program used 1.5s of CPU time"; empty when that is not known.
  [[nodiscard]] std::string cpu_time_text() const;
  /// Sees whether the kernel still runs it, and keeps the time when it does not.
  void watch_going();
  /// Looks once more. Precondition: it has a program.
  [[nodiscard]] bool has_ended();
  [[nodiscard]] bool has_let_go();
  void ask_to_go();
  void kill_program();
  [[nodiscard]] Problem wait_gone();

  protocol::AttachScheduler request_;
  SchedExtPlaces places_;
  std::function<void()> on_look_;
  std::optional<SchedulerProcess> process_;  ///< absent for one of the kernel's own
  KernelLog kernel_log_;
  std::optional<std::string> ops_, death_;
  bool asked_to_go_ = false;
  std::uint64_t started_ns_ = 0, seen_ns_ = 0;
  std::optional<std::uint64_t> attached_ns_, gone_ns_, load_cpu_ns_;
};

}  // namespace ktstr::engine::guest
