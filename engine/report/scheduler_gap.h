// SchedulerGap: a time without the scheduler that the scenario wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine {

enum class GapCause { kReplaced, kRestarted, kDied, kRefused };

/// From the last look at which the kernel ran `former` to the first at which it ran `next`; tasks run under
/// the kernel's own scheduler meanwhile. It is at most one look too long (some ms), never too short.
struct SchedulerGap {
  GapCause cause = GapCause::kReplaced;
  std::uint32_t step = 0;
  std::string former;
  std::optional<std::string> next{};
  std::uint64_t begin_ns = 0;
  std::uint64_t duration_ns = 0;

  static consteval auto describe() {
    using T = SchedulerGap;
    return record(
        "a time without the scheduler that the scenario wants",
        field<&T::cause>("replaced, restarted, died or refused"),
        field<&T::step>("the step in which it began, from 1; 0: before the first step"),
        field<&T::former>("the scheduler that went"),
        field<&T::next>("the one that came; absent when none came before the run ended"),
        field<&T::begin_ns>("when it began, ns since the machine's start"),
        field<&T::duration_ns>("how long it lasted, by the guest's clock where the guest saw both ends, ns"));
  }
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::GapCause> = enumeration<engine::GapCause>("gap cause", {
    {"replaced", engine::GapCause::kReplaced, "an op put another scheduler in its place"},
    {"restarted", engine::GapCause::kRestarted, "an op started it again"},
    {"died", engine::GapCause::kDied, "it ended unasked"},
    {"refused", engine::GapCause::kRefused, "it was detached for one that did not attach"}});
// clang-format on
}  // namespace ktstr
