// ExitWatch: catches the exit records of schedulers while they are in guest memory.
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "introspect/kernel.h"
#include "introspect/scx/exit_reader.h"

namespace ktstr::engine {

/// A record is gone soon after the scheduler's program drops its link, so a thread looks for it regularly; a
/// look that finds nothing is a few small reads.
class ExitWatch {
 public:
  static constexpr Duration kPeriod = std::chrono::milliseconds(20);

  /// `kernel` must outlive the watch. Errors: kNotFound when the kernel has no sched_ext.
  [[nodiscard]] static Result<std::unique_ptr<ExitWatch>> start(const introspect::Kernel& kernel);
  ~ExitWatch() = default;
  ExitWatch(const ExitWatch&) = delete;
  ExitWatch& operator=(const ExitWatch&) = delete;

  /// Takes one more look, then gives the records of schedulers that ended in an error since the last call,
  /// oldest first, and forgets them.
  [[nodiscard]] std::vector<introspect::ScxExitRecord> take();

 private:
  ExitWatch(const introspect::Kernel& kernel, introspect::ScxExitReader reader);
  void run(const std::stop_token& stop);
  void look();
  void keep(introspect::ScxExitRecord record);

  const introspect::Kernel& kernel_;
  introspect::ScxExitReader reader_;
  std::mutex mutex_;
  std::vector<introspect::ScxExitRecord> records_;
  std::vector<std::uint64_t> told_;  ///< sched_kva of records given away: they may stay in memory for a while
  std::jthread thread_;              ///< last: it uses everything above
};

}  // namespace ktstr::engine
