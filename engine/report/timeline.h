// Timeline: what the runner did to the guest, and when. Times are since the machine's start, like those of
// monitor samples.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// One op. Counts are those after it.
struct StimulusEvent {
  std::uint64_t offset_ns = 0;  ///< when it was done (the agent had answered)
  std::uint64_t took_ns = 0;
  std::uint32_t step = 0;
  std::string op;
  std::optional<std::string> cgroup{};
  std::uint64_t cgroups = 0;
  std::uint64_t workers = 0;
  std::optional<std::string> scheduler{};
  std::optional<std::string> map{};
  std::optional<std::string> variable{};

  static consteval auto describe() {
    using T = StimulusEvent;
    return record("one op that was done to the guest",
                  field<&T::offset_ns>("when the guest had done it, ns since the machine's start"),
                  field<&T::took_ns>("from the request to the answer, ns"),
                  field<&T::step>("step number from 1; 0: before the first step"),
                  field<&T::op>("the op's name"), field<&T::cgroup>("the cgroup it was done to"),
                  field<&T::cgroups>("cgroups after it"), field<&T::workers>("running workers after it"),
                  field<&T::scheduler>("the scheduler that the op is about"),
                  field<&T::map>("the BPF map that the op is about, as the scenario calls it"),
                  field<&T::variable>("the variable of that map"));
  }
};

/// One step as it went.
struct StepReport {
  std::uint32_t step = 0;
  std::uint64_t start_ns = 0;
  std::optional<std::uint64_t> hold_start_ns{};
  std::optional<std::uint64_t> end_ns{};
  std::uint64_t turns = 1;

  static consteval auto describe() {
    using T = StepReport;
    return record(
        "one step as it went", field<&T::step>("step number from 1"),
        field<&T::start_ns>("when its first op began, ns since the machine's start"),
        field<&T::hold_start_ns>(
            "when its hold began, ns since the machine's start; absent when the run ended before"),
        field<&T::end_ns>("when it was over, ns since the machine's start; absent when the run ended before"),
        field<&T::turns>("how often its ops ran"));
  }
};

/// Where the processes were at one moment.
struct CgroupProcsReport {
  std::uint32_t step = 0;
  std::string tag;
  std::uint64_t elapsed_ns = 0;
  std::map<std::string, std::vector<std::int32_t>> cgroups;

  static consteval auto describe() {
    using T = CgroupProcsReport;
    return record("which processes were in each cgroup", field<&T::step>("the step that looked, from 1"),
                  field<&T::tag>("what the scenario called it"),
                  field<&T::elapsed_ns>("when it was asked for, ns since the machine's start"),
                  field<&T::cgroups>("pids, by the cgroup's name"));
  }
};

struct Timeline {
  std::vector<StepReport> steps;
  std::vector<StimulusEvent> events;
  std::vector<CgroupProcsReport> cgroup_procs{};

  static consteval auto describe() {
    using T = Timeline;
    return record("what was done to the guest, and when",
                  field<&T::steps>("steps in order, those that began"), field<&T::events>("ops in order"),
                  field<&T::cgroup_procs>("what capture_cgroup_procs found, in order"));
  }
};

}  // namespace ktstr::engine
