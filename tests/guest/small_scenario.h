// Scenarios that need no more than a small guest and a moment.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/scenario/scenario.h"

namespace ktstr::engine::testing {

inline WorkGroup spinners(std::uint32_t workers) {
  WorkGroup work;
  work.workers = workers;
  return work;
}

inline CgroupDef cgroup_of(std::optional<CpusetSpec> cpuset, std::vector<WorkGroup> works) {
  CgroupDef def;
  def.cpuset = std::move(cpuset);
  def.works = std::move(works);
  return def;
}

/// One cgroup with two spinners for half a second, on two CPUs.
inline Scenario small_scenario(std::string name) {
  using namespace std::chrono_literals;
  Scenario scenario;
  scenario.name = std::move(name);
  scenario.topology = {1, 1, 2, 1};
  scenario.duration = 500ms;
  scenario.cgroups["web"] = cgroup_of({}, {spinners(2)});
  scenario.steps = {{.ops = {}, .setup = {}, .hold = RestHold{}}};
  return scenario;
}

}  // namespace ktstr::engine::testing
