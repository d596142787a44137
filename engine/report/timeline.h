// Timeline: what the runner did to the guest, and when. Times are since the machine's start, like those of
// monitor samples.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// One op. Counts are those after it.
struct StimulusEvent {
  std::uint64_t offset_ns = 0;  ///< when it was done (the agent had answered)
  std::uint64_t took_ns = 0;    ///< from the request to the answer
  std::uint32_t step = 0;       ///< from 1; 0: before the first step
  std::string op;               ///< the op's name in a scenario
  std::optional<std::string> cgroup{};
  std::uint64_t cgroups = 0;
  std::uint64_t workers = 0;
  std::optional<std::string> scheduler{};
  std::optional<std::string> map{};
  std::optional<std::string> variable{};
};

/// One step as it went.
struct StepReport {
  std::uint32_t step = 0;  ///< from 1
  std::uint64_t start_ns = 0;
  std::optional<std::uint64_t> hold_start_ns{};  ///< absent when the run ended before it
  std::optional<std::uint64_t> end_ns{};
  std::uint64_t turns = 1;  ///< how often the ops ran (a loop's intervals)
};

struct Timeline {
  std::vector<StepReport> steps;
  std::vector<StimulusEvent> events;
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::StimulusEvent> = record<engine::StimulusEvent>("StimulusEvent", "one op that was done to the guest",
    field("offset_ns", &engine::StimulusEvent::offset_ns, "when the guest had done it, ns since the machine's start"),
    field("took_ns", &engine::StimulusEvent::took_ns, "from the request to the answer, ns"),
    field("step", &engine::StimulusEvent::step, "step number from 1; 0: before the first step"),
    field("op", &engine::StimulusEvent::op, "the op's name"),
    field("cgroup", &engine::StimulusEvent::cgroup, "the cgroup it was done to"),
    field("cgroups", &engine::StimulusEvent::cgroups, "cgroups after it"),
    field("workers", &engine::StimulusEvent::workers, "running workers after it"),
    field("scheduler", &engine::StimulusEvent::scheduler, "the scheduler that the op is about"),
    field("map", &engine::StimulusEvent::map, "the BPF map that the op is about, as the scenario calls it"),
    field("variable", &engine::StimulusEvent::variable, "the variable of that map"));
template <> inline constexpr auto describe<engine::StepReport> = record<engine::StepReport>("StepReport", "one step as it went",
    field("step", &engine::StepReport::step, "step number from 1"),
    field("start_ns", &engine::StepReport::start_ns, "when its first op began, ns since the machine's start"),
    field("hold_start_ns", &engine::StepReport::hold_start_ns, "when its hold began, ns since the machine's start; absent when the run ended before"),
    field("end_ns", &engine::StepReport::end_ns, "when it was over, ns since the machine's start; absent when the run ended before"),
    field("turns", &engine::StepReport::turns, "how often its ops ran"));
template <> inline constexpr auto describe<engine::Timeline> = record<engine::Timeline>("Timeline", "what was done to the guest, and when",
    field("steps", &engine::Timeline::steps, "steps in order, those that began"),
    field("events", &engine::Timeline::events, "ops in order"));
// clang-format on
}  // namespace ktstr
