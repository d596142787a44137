#include "engine/scenario/load.h"

#include <algorithm>
#include <cmath>

#include "engine/scenario/check_schedulers.h"
#include "engine/scenario/check_steps.h"
#include "engine/scenario/holds.h"
#include "engine/scenario/place.h"
#include "engine/scenario/scheduler_machine.h"
#include "engine/scenario/workers.h"
#include "vmm/memory_plan.h"

namespace ktstr::engine {
namespace {

constexpr Duration kLongestScenario = std::chrono::hours(24);
constexpr std::size_t kLongestName = 100;

/// Names become file names and test names.
ReadStatus check_name(const std::string& name, const Place& place) {
  if (name.size() > kLongestName) return place.error("must be at most 100 bytes long");
  const auto allowed = [](unsigned char c) { return c > 0x20 && c != 0x7f && c != '/'; };
  if (name == "." || name == "..") return place.error("\"" + name + "\" can't be a name");
  const auto begins_and_ends = name.empty() || (name.front() != ' ' && name.back() != ' ');
  if (!begins_and_ends ||
      !std::all_of(name.begin(), name.end(), [&](char c) { return c == ' ' || allowed(c); }))
    return place.error("must have no \"/\", no control characters and no space at its ends");
  return {};
}

ReadStatus check_kernel_args(const std::vector<std::string>& arguments, const Place& place) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (arguments[i].empty() || std::any_of(arguments[i].begin(), arguments[i].end(), is_control))
      return place.element(i).error("must be printable and not empty");
  }
  return {};
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

ReadStatus check_times(const Scenario& scenario, const Place& place) {
  if (scenario.duration.ns <= 0) return place.member("duration").error("must be longer than 0");
  if (scenario.duration > kLongestScenario)
    return place.member("duration").error("must be at most " + format_duration(kLongestScenario));
  const auto period = scenario.monitor.period;
  if (period < std::chrono::milliseconds(1) || period > std::chrono::seconds(10))
    return place.member("monitor").member("period").error("must be from 1ms to 10s, not " +
                                                          format_duration(period));
  if (const auto times = plan_holds(scenario.steps, scenario.duration); !times)
    return place.member("steps").element(times.error().step).member("hold").error(times.error().message);
  return {};
}

/// Every threshold is a non-negative number; a limit that nothing can meet or miss is a mistake.
template <class Record>
ReadStatus check_thresholds(const Record& record, const Place& place) {
  ReadStatus status;
  for_each_field<Record>([&](const auto& field) {
    if (status) return;
    const auto& member = record.*field.member;
    if constexpr (std::same_as<std::remove_cvref_t<decltype(member)>, std::optional<double>>)
      if (member && !(std::isfinite(*member) && *member >= 0))
        status = place.member(field.name).error("must be 0 or more");
  });
  return status;
}

ReadStatus check_expectations(const Expectations& expect, const Place& place) {
  if (auto error = check_thresholds(expect, place)) return error;
  if (auto error = check_thresholds(expect.monitor, place.member("monitor"))) return error;
  const auto& monitor = expect.monitor;
  if (expect.max_spread_pct && *expect.max_spread_pct > 100)
    return place.member("max_spread_pct").error("must be at most 100");
  if (monitor.max_imbalance_ratio && *monitor.max_imbalance_ratio < 1)
    return place.member("monitor")
        .member("max_imbalance_ratio")
        .error("must be 1 or more: an even load has ratio 1");
  if (monitor.sustained_samples && *monitor.sustained_samples == 0)
    return place.member("monitor").member("sustained_samples").error("must be 1 or more");
  return check_scheduler_error(expect, place);
}

ReadStatus check(Scenario& scenario, const Place& place, const ProgramPlaces& places) {
  if (auto error = check_name(scenario.name, place.member("name"))) return error;
  if (auto error = check_kernel_args(scenario.kernel_args, place.member("kernel_args"))) return error;
  if (auto error = check_memory(scenario, place)) return error;
  if (auto error = check_times(scenario, place)) return error;
  if (auto error = check_schedulers(scenario, place, places)) return error;
  if (auto error = check_steps(scenario, place)) return error;
  return check_expectations(scenario.expect, place.member("expect"));
}

}  // namespace

tl::expected<Scenario, ReadError> load_scenario(const Value& tree, const ProgramPlaces& places) {
  Scenario scenario;
  auto error = read(tree, scenario);
  if (!error) {
    if (scenario.steps.empty()) scenario.steps.emplace_back();
    resolve_scheduler_names(scenario, Place(tree));
    take_default_topology(scenario, tree);
    error = check(scenario, Place(tree), places);
  }
  if (!error) return scenario;
  if (error->line == 0) error->line = tree.line;
  return tl::unexpected(std::move(*error));
}

}  // namespace ktstr::engine
