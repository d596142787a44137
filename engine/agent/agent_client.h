// AgentClient: the runner's side of the channel to the guest agent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine {

/// One request at a time; each call waits for its answer. Not thread safe. Errors of every call:
/// what the agent answers (its code and message); kGuestFailed when it has gone; kTimeout when it does not
/// answer within the request timeout; kCancelled as soon as the cancel fd is readable; kCorrupt for a damaged
/// or foreign protocol. After kTimeout and kCancelled further calls are possible (a late answer to an earlier
/// request is dropped), after the others they fail.
class AgentClient {
 public:
  /// Longer than anything that the agent does under its own deadlines.
  static constexpr Duration kDefaultTimeout = std::chrono::seconds(240);

  /// Neither fd is owned; both must stay open. `cancel_fd`: an eventfd or similar that becomes readable when
  /// the user wants to stop; -1: none.
  explicit AgentClient(int channel_fd, int cancel_fd = -1, Duration request_timeout = kDefaultTimeout);

  /// The agent's first message: until it has come, nothing can be asked. Says so when the versions differ.
  [[nodiscard]] Result<protocol::Hello> wait_hello(Duration timeout);

  [[nodiscard]] Status add_cgroup(const protocol::AddCgroup& request);
  /// The reports of the workers that were still in it or below it.
  [[nodiscard]] Result<std::vector<protocol::WorkerReport>> remove_cgroup(std::string_view name);
  [[nodiscard]] Status set_cpuset(std::string_view name, const std::optional<CpuSet>& cpus);
  /// The tids, in the order of request.affinities.
  [[nodiscard]] Result<std::vector<std::int32_t>> spawn(const protocol::SpawnWorkers& request);
  /// Absent: all workers everywhere. In order of spawning; a worker is reported once.
  [[nodiscard]] Result<std::vector<protocol::WorkerReport>> stop(
      const std::optional<std::string>& cgroup = std::nullopt);
  [[nodiscard]] Status set_affinity(std::string_view name, const std::vector<CpuSet>& affinities);
  [[nodiscard]] Status move_tasks(const std::optional<std::string>& from,
                                  const std::optional<std::string>& to);
  [[nodiscard]] Status freeze(std::string_view name, bool frozen);
  [[nodiscard]] Result<protocol::FileContent> read_file(std::string_view path, std::uint32_t limit = 1 << 20);
  /// What schedulers do wrong is in the answer, not an error; see protocol/scheduler_messages.h.
  [[nodiscard]] Result<protocol::SchedulerChanged> attach_scheduler(const protocol::AttachScheduler& request);
  [[nodiscard]] Result<protocol::SchedulerChanged> detach_scheduler(
      const protocol::DetachScheduler& request = {});
  [[nodiscard]] Result<protocol::SchedulerChanged> replace_scheduler(const protocol::AttachScheduler& next);
  [[nodiscard]] Result<protocol::SchedulerChanged> restart_scheduler();
  [[nodiscard]] Result<protocol::SchedulerChanged> query_scheduler(
      const protocol::QueryScheduler& request = {});
  [[nodiscard]] Status pin_bpf_map(std::uint32_t id);
  /// Together a capture of every thread, in parts of at most kMaxCapturePartBytes.
  [[nodiscard]] Result<protocol::Captured> capture_threads();
  [[nodiscard]] Result<protocol::CapturePart> read_capture(std::uint64_t offset);
  /// For a guest that was forked, before anything else.
  [[nodiscard]] Status refresh(const protocol::Refresh& request);
  [[nodiscard]] Result<protocol::StatisticsSwitches> set_statistics(bool on);
  /// Ends the agent, and as PID 1 its guest. That it is gone before it answered is success too.
  [[nodiscard]] Status shutdown();

  /// From now on the cancel fd is not looked at: for cleaning up after a cancellation.
  void ignore_cancel() { cancel_fd_ = -1; }

 private:
  template <class Answer>
  [[nodiscard]] Result<Answer> ask(protocol::Request request);
  [[nodiscard]] Result<protocol::Reply> exchange(protocol::Request request);
  [[nodiscard]] Result<protocol::ReplyMessage> receive(Duration timeout);

  int channel_fd_;
  int cancel_fd_;
  Duration timeout_;
  protocol::FrameReader reader_;
  std::uint64_t last_id_ = 0;
  std::optional<Error> broken_;  ///< why the channel can't be used any more
};

}  // namespace ktstr::engine
