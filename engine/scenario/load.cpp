#include "engine/scenario/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/printable.h"
#include "engine/scenario/checks.h"
#include "engine/scenario/holds.h"
#include "engine/scenario/place.h"
#include "engine/scenario/schedulers_of.h"
#include "engine/scenario/workers.h"
#include "vmm/memory_plan.h"

namespace ktstr::engine {
namespace {

constexpr Duration kLongestScenario = std::chrono::hours(24);
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kMostOps = 4096;

/// Names become file names and test names.
ReadStatus check_name(const std::string& name, const Place& place) {
  if (name.size() > kLongestName) return place.error("must be at most 100 bytes long");
  if (name == "." || name == "..") return place.error("\"" + name + "\" can't be a name");
  const auto begins_and_ends = name.empty() || (name.front() != ' ' && name.back() != ' ');
  if (!begins_and_ends || name.find('/') != std::string::npos || printable(name) != name)
    return place.error("must have no \"/\", no control or invisible characters and no space at its ends");
  return {};
}

ReadStatus check_kernel_args(const std::vector<std::string>& arguments, const Place& place) {
  ReadStatus status;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (arguments[i].empty() || std::any_of(arguments[i].begin(), arguments[i].end(), is_control))
      add_error(status, place.element(i).error("must be printable and not empty"));
  }
  return status;
}

/// The memory is the scenario's, or its topology's nodes state it.
ReadStatus check_memory(const Scenario& scenario, const Place& root) {
  const auto place = root.member(scenario.memory ? "memory" : "topology");
  const auto floor = memory_floor(scenario.topology);
  const auto memory = guest_memory(scenario);
  if (memory >= floor) return place.error_of(vmm::plan_banks(scenario.topology, memory));
  return place.error(format_byte_size(memory) + " is too little for the " +
                     std::to_string(scenario.topology.cpus()) + " CPUs of " + scenario.topology.to_string() +
                     ": at least " + format_byte_size(floor));
}

ReadStatus check_holds(const Scenario& scenario, const Place& place) {
  ReadStatus status;
  if (const auto times = plan_holds(scenario.steps, scenario.duration); !times)
    for (const auto& [step, message] : times.error())
      add_error(status, place.member("steps").element(step).member("hold").error(message));
  return status;
}

/// Holds are parts of the duration, so they wait until that is right.
ReadStatus check_times(const Scenario& scenario, const Place& place) {
  ReadStatus status;
  const auto period = scenario.monitor.period;
  if (period < std::chrono::milliseconds(1) || period > std::chrono::seconds(10))
    status = place.member("monitor").member("period").error("must be from 1ms to 10s, not " +
                                                            format_duration(period));
  const auto at = place.member("duration");
  const auto not_that = ", not " + format_duration(scenario.duration);
  if (scenario.duration.ns <= 0)
    add_error(status, at.error("must be longer than 0" + not_that));
  else if (scenario.duration > kLongestScenario)
    add_error(status, at.error("must be at most " + format_duration(kLongestScenario) + not_that));
  else
    add_error(status, check_holds(scenario, place));
  return status;
}

std::string shown(double number) {
  return Value{number}.kind_and_value();
}

/// Every threshold is a non-negative number; a limit that nothing can meet or miss is a mistake.
template <class Record>
ReadStatus check_thresholds(const Record& record, const Place& place) {
  ReadStatus status;
  for_each_field<Record>([&](const auto& field) {
    const auto& member = record.*field.member;
    if constexpr (std::same_as<std::remove_cvref_t<decltype(member)>, std::optional<double>>)
      if (member && !(std::isfinite(*member) && *member >= 0))
        add_error(status, place.member(field.name).error("must be 0 or more, got " + shown(*member)));
  });
  return status;
}

ReadStatus check_expectations(const Expectations& expect, const Place& place) {
  const auto& monitor = expect.monitor;
  const auto of_monitor = place.member("monitor");
  auto status = check_thresholds(expect, place);
  add_error(status, check_thresholds(monitor, of_monitor));
  if (expect.max_spread_pct && *expect.max_spread_pct > 100)
    add_error(
        status,
        place.member("max_spread_pct").error("must be at most 100, got " + shown(*expect.max_spread_pct)));
  if (monitor.max_imbalance_ratio && *monitor.max_imbalance_ratio < 1)
    add_error(status, of_monitor.member("max_imbalance_ratio")
                          .error("must be 1 or more, got " + shown(*monitor.max_imbalance_ratio) +
                                 ": an even load has ratio 1"));
  if (monitor.sustained_samples && *monitor.sustained_samples == 0)
    add_error(status, of_monitor.member("sustained_samples").error("must be 1 or more, not 0"));
  add_error(status, check_scheduler_error(expect, place));
  return status;
}

ReadStatus check_op_count(const Scenario& scenario, const Place& place) {
  std::size_t ops = 0;
  for (const auto& step : scenario.steps) ops += step.ops.size();
  if (ops <= kMostOps) return {};
  return place.error(fmt::format("a scenario may have at most {} ops, not {}", kMostOps, ops));
}

ReadStatus check(Scenario& scenario, const Place& place, const ProgramPlaces& places) {
  auto status = check_name(scenario.name, place.member("name"));
  add_error(status, check_kernel_args(scenario.kernel_args, place.member("kernel_args")));
  add_error(status, check_memory(scenario, place));
  add_error(status, check_times(scenario, place));
  add_error(status, check_schedulers(scenario, place, places));
  add_error(status, check_steps(scenario, place));
  add_error(status, check_expectations(scenario.expect, place.member("expect")));
  return status;
}

}  // namespace

tl::expected<Scenario, ReadError> load_scenario(const Value& tree, const ProgramPlaces& places) {
  Scenario scenario;
  auto error = read(tree, scenario);
  if (!error) error = check_op_count(scenario, Place(tree).member("steps"));
  if (!error) {
    if (scenario.steps.empty()) scenario.steps.emplace_back();
    resolve_scheduler_names(scenario, Place(tree));
    take_default_topology(scenario, tree);
    error = check(scenario, Place(tree), places);
  }
  if (!error) return scenario;
  if (error->line == 0) error->line = tree.line;
  for (auto& other : error->others)
    if (other.line == 0) other.line = tree.line;
  return tl::unexpected(std::move(*error));
}

}  // namespace ktstr::engine
