// Qmp: QEMU's control protocol over a connected socket (docs/interop/qmp-spec.txt in QEMU).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/base/value.h"

namespace ktstr::vmm::qemu {

using Deadline = std::chrono::steady_clock::time_point;

/// Thread-safe: several threads may execute() at once; QEMU answers in order. A thread of its own reads.
class Qmp {
 public:
  explicit Qmp(Fd socket);
  ~Qmp();  ///< hangs up
  Qmp(const Qmp&) = delete;
  Qmp& operator=(const Qmp&) = delete;

  /// Waits for QEMU's greeting and leaves negotiation mode. Once, before any other command.
  [[nodiscard]] Status handshake(Deadline deadline);

  /// Runs one command; the value is its "return". Errors: kTimeout (the command may still take effect later,
  /// its answer is dropped); kUnavailable with QEMU's words when it refuses; kIo when the connection is lost.
  [[nodiscard]] Result<Value> execute(std::string_view command, Value::Object arguments, Deadline deadline);

  /// The text that the human monitor prints for `line`.
  [[nodiscard]] Result<std::string> human_monitor(std::string_view line, Deadline deadline);

  /// Gives QEMU a copy of `fd` (SCM_RIGHTS) under a name that a later command uses up, as "fd:name". Errors:
  /// as execute().
  [[nodiscard]] Status give_descriptor(std::string_view name, int fd, Deadline deadline);

  /// How the migration that began since the last forget_migration() ended: "completed", "failed" or
  /// "cancelled". QEMU tells it only with the migration capability "events". Errors: kTimeout; kIo when the
  /// connection is lost.
  [[nodiscard]] Result<std::string> wait_migration(Deadline deadline);
  void forget_migration();

  /// How often the machine has begun to run (RESUME events), and waiting until it has once more than `seen`.
  /// Errors: kTimeout; kIo when the connection is lost.
  [[nodiscard]] std::uint64_t resumes() const;
  [[nodiscard]] Status wait_resumed(std::uint64_t seen, Deadline deadline);

  /// The "reason" of the first SHUTDOWN event, if one came: guest-reset, guest-shutdown, host-qmp-quit ...
  [[nodiscard]] std::optional<std::string> shutdown_reason() const;

  /// Blocks until a SHUTDOWN event came or QEMU has hung up.
  void wait_shutdown();

  /// Blocks until QEMU has hung up.
  void wait_closed();

 private:
  static constexpr std::size_t kLineLimit = 16 * 1024 * 1024;

  void read_all();
  void take_line(std::string_view line);
  void take_event(std::string_view name, const Value* data);
  Result<Value> execute(std::string_view command, Value::Object arguments, int fd, Deadline deadline);
  Status send(std::string_view text, int fd);

  Fd socket_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool greeted_ = false;
  bool closed_ = false;
  std::int64_t last_id_ = 0;
  std::map<std::int64_t, std::optional<Value>>
      pending_;  ///< commands in flight, and their answers once there
  std::optional<std::string> shutdown_reason_;
  std::optional<std::string> migration_end_;
  std::uint64_t resumes_ = 0;
  std::thread reader_;
};

}  // namespace ktstr::vmm::qemu
