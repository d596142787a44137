#include "introspect/task/state_letter.h"

#include <bit>
#include <string_view>

namespace ktstr::introspect {
namespace {

// include/linux/sched.h
constexpr std::uint32_t kUninterruptible = 0x0002;
constexpr std::uint32_t kReported = 0x007f;    // TASK_REPORT
constexpr std::uint32_t kReportIdle = 0x0080;  // TASK_REPORT_IDLE
constexpr std::uint32_t kIdle = 0x0402;        // TASK_IDLE: uninterruptible, and no load
constexpr std::uint32_t kRtLockWait = 0x1000;  // TASK_RTLOCK_WAIT
constexpr std::uint32_t kFrozen = 0x8000;      // TASK_FROZEN
constexpr std::string_view kLetters = "RSDTtXZPI";

/// __task_state_index()
std::uint32_t reported_state(std::uint32_t state, std::uint32_t exit_state) {
  if ((state & kIdle) == kIdle) return kReportIdle;
  if ((state & (kRtLockWait | kFrozen)) != 0) return kUninterruptible;
  return (state | exit_state) & kReported;
}

}  // namespace

char task_state_letter(std::uint32_t state, std::uint32_t exit_state) {
  return kLetters[static_cast<std::size_t>(std::bit_width(reported_state(state, exit_state)))];
}

}  // namespace ktstr::introspect
