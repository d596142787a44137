// Comparisons of what is read from a running guest's memory with what the guest's own files say.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "introspect/machine/readings.h"
#include "tests/introspect/monitor/live_guest.h"

namespace ktstr::introspect::test {

/// Two NUMA nodes of two cores: CPUs 0 and 1, 2 and 3.
inline constexpr vmm::Topology kTopology{.nodes = 2, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 1};
/// How often two readings with a file between them are taken until nothing changed meanwhile.
inline constexpr int kAttempts = 100;

void check_cpu_times(LiveGuest& guest);
void check_pressure(LiveGuest& guest);
void check_numa(LiveGuest& guest);

/// All rows, of which none may be missing.
template <class Row>
std::vector<Row> rows_of(Readings<Row> readings) {
  CHECK(readings.problems == std::vector<std::string>());
  return std::move(readings.rows);
}

inline void check_between(std::uint64_t before, std::uint64_t value, std::uint64_t after) {
  CHECK(before <= value);
  CHECK(value <= after);
}

/// Starts spinners on the given CPUs.
inline void spin_on(LiveGuest& guest, std::optional<std::string> cgroup, std::vector<CpuSet> affinities) {
  engine::protocol::SpawnWorkers spawn;
  spawn.cgroup = std::move(cgroup);
  spawn.work = engine::CpuSpin{};
  spawn.affinities = std::move(affinities);
  const auto spawned = guest.agent().ask(spawn);
  REQUIRE_MESSAGE(spawned.has_value(), (spawned ? "" : spawned.error().message));
}

}  // namespace ktstr::introspect::test
