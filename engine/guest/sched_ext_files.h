// What the kernel says of sched_ext in /sys/kernel/sched_ext (kernel/sched/ext.c) and in its log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine::guest {

inline constexpr const char* kSchedExtDirectory = "/sys/kernel/sched_ext";

struct SchedExtState {
  std::string state;               ///< "disabled", "enabling", "enabled" or "disabling"
  std::optional<std::string> ops;  ///< the root scheduler's name; absent when there is none
};

/// Errors: kUnavailable when the kernel has no sched_ext; kIo.
[[nodiscard]] Result<SchedExtState> read_sched_ext(const std::string& directory);

/// The kernel's messages about sched_ext from the object's making on. Where /dev/kmsg can't be read there are
/// none.
class KernelLog {
 public:
  explicit KernelLog(const char* device = "/dev/kmsg");

  /// Takes in what is new. Lines are those that begin with "sched_ext:" and the backtraces after them.
  void update();
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  /// Whether the kernel complained: a message of level "err" or worse.
  [[nodiscard]] bool has_error() const { return has_error_; }

  /// One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg): "3,812,5140900,-;sched_ext: ...".
  void add_record(std::string_view record);

 private:
  static constexpr std::size_t kMostLines = 200;

  Fd device_;
  std::vector<std::string> lines_;
  bool has_error_ = false;
  bool in_backtrace_ = false;
};

}  // namespace ktstr::engine::guest
