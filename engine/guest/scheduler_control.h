// SchedulerControl: the one scheduler that a session has attached, from its start to its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/guest/sched_ext_files.h"
#include "engine/guest/scheduler_process.h"
#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::guest {

/// Every request is carried out before it returns, under deadlines of its own. What goes wrong with a
/// scheduler is told in SchedulerChanged::problem with all there is to know of it; an Error means that the
/// request itself made no sense.
class SchedulerControl {
 public:
  /// `cgroup_root`: where the scheduler's own cgroup is made. `sched_ext`: the kernel's directory.
  explicit SchedulerControl(std::string cgroup_root, std::string sched_ext = kSchedExtDirectory,
                            const char* kernel_log = "/dev/kmsg");
  ~SchedulerControl();

  /// Errors: kInvalidArgument when one is attached, or sched_ext is enabled by somebody else; kUnavailable
  /// without sched_ext.
  [[nodiscard]] Result<protocol::SchedulerChanged> attach(const protocol::AttachScheduler& request);
  /// Without a scheduler (it may have died and been told of) there is nothing to do, and nothing in the
  /// answer.
  [[nodiscard]] Result<protocol::SchedulerChanged> detach(Duration timeout);
  /// Detaches what is there, then attaches `next`; not when the kernel does not let the former one go.
  [[nodiscard]] Result<protocol::SchedulerChanged> replace(const protocol::AttachScheduler& next);
  /// Errors besides: kInvalidArgument when there never was one.
  [[nodiscard]] Result<protocol::SchedulerChanged> restart();
  /// How it fares. One that died is forgotten once this, detach or replace has told of it.
  [[nodiscard]] protocol::SchedulerChanged query();

  /// Readable when there is output to be read; -1 without a scheduler.
  [[nodiscard]] int output_fd() const;
  void read_output();
  /// Takes the end of the child `pid` in, and reaps it, if it is the scheduler.
  [[nodiscard]] bool reap(pid_t pid);
  /// Ends it at once, for cleaning up, and removes its cgroup.
  [[nodiscard]] Status end();

 private:
  using Problem = std::optional<std::string>;

  /// What is attached, or was until it died.
  struct Attached {
    protocol::AttachScheduler request;
    std::optional<SchedulerProcess> process{};  ///< absent for one of the kernel's own
    KernelLog kernel_log;
    std::optional<std::string> ops{};
    std::optional<std::string> death{};
  };

  [[nodiscard]] Status check_free(const protocol::AttachScheduler& request);
  [[nodiscard]] Problem start(const protocol::AttachScheduler& request);
  [[nodiscard]] Status start_program(const protocol::AttachScheduler& request);
  [[nodiscard]] Problem wait_attached(Duration timeout);
  [[nodiscard]] Problem stop(Duration timeout);
  void stop_program(Duration timeout);
  [[nodiscard]] Problem wait_gone();
  /// Notes that it died, when it did, and lets its program say why.
  void notice_death();
  [[nodiscard]] bool is_alive() const;
  [[nodiscard]] bool kernel_runs_it() const;
  [[nodiscard]] protocol::SchedulerStatus status();

  std::string cgroup_root_;
  std::string sched_ext_;
  const char* kernel_log_;
  std::string cgroup_;  ///< the scheduler's own, once it was made
  std::optional<Attached> attached_;
  std::optional<protocol::AttachScheduler> last_;  ///< what a restart starts again
  std::uint64_t gone_ns_ = 0;      ///< CLOCK_MONOTONIC when the kernel was first seen without the last one
  std::uint64_t attached_ns_ = 0;  ///< when it was first seen with the present one
};

}  // namespace ktstr::engine::guest
