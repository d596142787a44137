// SchedulerProcess: a scheduler's program as a child, with its output.
#pragma once

#include <optional>
#include <string>

#include "engine/base/child.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/guest/attach_hold.h"
#include "engine/guest/output_log.h"
#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::guest {

/// Kills the child, with what it started, in the destructor. The child has standard input from /dev/null,
/// output to us, no other descriptor of ours and a process group of its own; it dies with us. It is urgent
/// (urgency.h) until calm(), and in our own cgroup: for a scheduler that walks the hierarchy, a cgroup of its
/// own would be a tenant like any other.
///
/// A program that makes itself a daemon is followed: when its process ends with status 0 and leaves one that
/// it had started, that one is the program from then on.
class SchedulerProcess {
 public:
  /// `request.preloaded`: its attachment is held. Errors: kNotFound or kIo, with the step that failed.
  [[nodiscard]] static Result<SchedulerProcess> start(const protocol::AttachScheduler& request);
  SchedulerProcess(SchedulerProcess&& other) noexcept = default;
  SchedulerProcess& operator=(SchedulerProcess&& other) = delete;
  ~SchedulerProcess();

  [[nodiscard]] pid_t pid() const { return process_.pid; }
  /// Readable when there is output.
  [[nodiscard]] int output_fd() const { return output_.get(); }
  /// Readable when a call waits to be looked at; -1 without a hold.
  [[nodiscard]] int hold_fd() const { return hold_ ? hold_->fd() : -1; }

  /// Takes in the output that is there.
  void read_output();
  /// Looks at the calls that wait; whether its attachment is held.
  bool serve_hold();
  /// Lets it attach.
  void open_hold();
  /// Ahead of everything a scenario runs, so that it can go.
  void hurry() const;
  /// From now on it runs like any other program.
  void calm() const;
  /// CPU time of all its threads so far; absent once it was reaped.
  [[nodiscard]] std::optional<std::uint64_t> cpu_ns() const;
  /// Waits until `duration` is over, there is output, or the program has ended; takes output and end in.
  void wait(Duration duration);
  /// Notes its end and reaps it, if it has ended.
  void check_end();
  /// After one, an end is an end: what it leaves is no daemon.
  void signal(int number);

  /// Absent while it runs.
  [[nodiscard]] const std::optional<protocol::ExitInfo>& exit() const { return exit_; }
  /// From now on, an end by a signal was our doing.
  void mark_killed() { killed_ = true; }
  [[nodiscard]] const OutputLog& log() const { return log_; }

 private:
  SchedulerProcess(Child process, Fd output, std::string mark)
      : process_(std::move(process)), output_(std::move(output)), mark_(std::move(mark)) {}
  [[nodiscard]] std::optional<pid_t> find_daemon() const;
  [[nodiscard]] bool follow(pid_t daemon);

  [[nodiscard]] static OutputLog new_log();

  Child process_;
  Fd output_;
  std::string mark_;  ///< what tells its processes from all others: a variable of their environment
  std::optional<AttachHold> hold_;
  OutputLog log_ = new_log();
  std::optional<protocol::ExitInfo> exit_;
  bool killed_ = false;
  bool is_going_ = false;
};

}  // namespace ktstr::engine::guest
