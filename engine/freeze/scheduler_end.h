// SchedulerEndDetector: tells from looks at the root scheduler whether one ended that nobody had ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "introspect/dump/origin.h"
#include "introspect/scx/exit_reader.h"

namespace ktstr::engine {

/// Why a dump is due. `detail` is one line.
struct SchedulerEnd {
  introspect::DumpCause cause = introspect::DumpCause::kSchedulerError;
  std::string detail;
  std::chrono::steady_clock::time_point seen_at{};  ///< the look that saw it
};

/// Each scheduler's end is told once. Not thread-safe.
class SchedulerEndDetector {
 public:
  using IsError = std::function<bool(std::uint32_t kind)>;
  explicit SchedulerEndDetector(IsError is_error) : is_error_(std::move(is_error)) {}

  /// One look. nullopt in `root`: no scheduler is loaded. `expected`: somebody is ending a scheduler, so that
  /// its going is no news; an error is, even then.
  [[nodiscard]] std::optional<SchedulerEnd> look(const std::optional<introspect::ScxExitKind>& root,
                                                 bool expected);

 private:
  [[nodiscard]] SchedulerEnd error(const introspect::ScxExitKind& root);
  [[nodiscard]] static SchedulerEnd vanished(std::string detail);

  IsError is_error_;
  std::optional<KernelVirt> running_;  ///< the scheduler that ran at the last look, its end not told of
  std::optional<KernelVirt> told_;     ///< a scheduler whose end was told of and that is still the root
};

}  // namespace ktstr::engine
