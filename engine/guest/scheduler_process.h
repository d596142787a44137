// SchedulerProcess: a scheduler's program as a child, with its output.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/guest/output_log.h"
#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::guest {

/// Kills the child, with what it started, in the destructor. The child has standard input from /dev/null,
/// output to us, no other descriptor of ours, SCHED_OTHER and a process group of its own; it dies with us.
class SchedulerProcess {
 public:
  /// Starts the program in the cgroup directory `cgroup` (empty: ours). Errors: kNotFound or kIo, with the
  /// step that failed.
  [[nodiscard]] static Result<SchedulerProcess> start(const protocol::AttachScheduler& request,
                                                      const std::string& cgroup);
  SchedulerProcess(SchedulerProcess&& other) noexcept = default;
  SchedulerProcess& operator=(SchedulerProcess&& other) = delete;
  ~SchedulerProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable when there is output.
  [[nodiscard]] int output_fd() const { return output_.get(); }

  /// Takes in the output that is there.
  void read_output();
  /// Waits until `duration` is over, there is output, or the program has ended; takes output and end in.
  void wait(Duration duration);
  /// Notes its end and reaps it, if it has ended.
  void check_end();
  void signal(int number) const;

  /// Absent while it runs.
  [[nodiscard]] const std::optional<protocol::ExitInfo>& exit() const { return exit_; }
  /// From now on, an end by a signal was our doing.
  void mark_killed() { killed_ = true; }
  [[nodiscard]] const OutputLog& log() const { return log_; }

 private:
  SchedulerProcess(Fd process, Fd output, pid_t pid)
      : process_(std::move(process)), output_(std::move(output)), pid_(pid) {}

  [[nodiscard]] static OutputLog new_log();

  Fd process_;  ///< pidfd
  Fd output_;
  pid_t pid_;
  OutputLog log_ = new_log();
  std::optional<protocol::ExitInfo> exit_;
  bool killed_ = false;
};

}  // namespace ktstr::engine::guest
