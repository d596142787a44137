// A real guest in which scx_ktstr runs, with workers, for tests of what is read out of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/introspect/monitor/live_guest.h"

namespace ktstr::introspect::test {

inline constexpr vmm::Topology kSchedulerTopology{1, 2, 2, 1};
inline constexpr Duration kFreezeDeadline = std::chrono::seconds(10);

/// Why such a guest can't be had on this machine; nothing when it can.
[[nodiscard]] std::optional<std::string> missing_for_scheduler(const std::optional<std::string>& kernel);

/// A guest with /scx_ktstr in its root, not started yet.
[[nodiscard]] Result<std::unique_ptr<LiveGuest>> boot_scheduler_guest(
    const std::optional<std::string>& kernel);

/// Starts `count` workers named `comm` that spin.
[[nodiscard]] Status spawn_spinners(LiveGuest& guest, std::size_t count, const std::string& comm);

/// Starts scx_ktstr and waits until the kernel runs it; an error says what it says itself.
[[nodiscard]] Status attach_scx_ktstr(LiveGuest& guest, std::vector<std::string> arguments);

}  // namespace ktstr::introspect::test
