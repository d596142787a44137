// bench_swap: how long a guest is without a scheduler while one is replaced by another: idle, under load, and
// under load with the successor preloaded; all in one run of one guest, by the guest's own clock.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "engine/run/runner.h"

namespace ktstr::bench {
namespace {

using namespace engine;
using namespace std::chrono_literals;

constexpr double kLoadedLimit = 1.5;      ///< of the idle gap
constexpr double kPreloadedLimitS = 0.1;  ///< under load
constexpr std::uint32_t kOversubscription = 4;
constexpr Duration kRest = 1s;  ///< between two replacements

SchedulerDef scheduler(const std::string& name) {
  SchedulerDef def;
  def.name = name;
  def.path = std::filesystem::canonical(SCX_KTSTR);
  def.args = {"--name", name};
  return def;
}

/// One replacement by step.
void add_replacements(Scenario& scenario, int count, Handover handover) {
  for (int i = 0; i < count; ++i) {
    const auto next = scheduler(scenario.steps.size() % 2 == 0 ? "second" : "first");
    scenario.steps.push_back(
        {.ops = {ReplaceSchedulerOp{next, handover}}, .setup = {}, .hold = FixedHold{kRest}});
  }
}

Scenario swaps(const vmm::Topology& topology, int count) {
  Scenario scenario;
  scenario.name = "swap";
  scenario.topology = topology;
  scenario.duration = 24h;
  scenario.scheduler = scheduler("first");
  add_replacements(scenario, count, Handover::kCold);
  CgroupDef load;
  load.works.emplace_back().workers = static_cast<std::uint32_t>(topology.cpus()) * kOversubscription;
  scenario.steps.push_back({.ops = {AddCgroupOp{"load", load}}, .setup = {}, .hold = FixedHold{kRest}});
  add_replacements(scenario, count, Handover::kCold);
  add_replacements(scenario, count, Handover::kPreloaded);
  return scenario;
}

struct Gaps {
  double median_s = 0, longest_s = 0;
};

Gaps gaps_of(const std::vector<SchedulerGap>& gaps, int first, int count) {
  std::vector<double> seconds;
  for (int i = first; i < first + count; ++i)
    seconds.push_back(static_cast<double>(gaps[static_cast<std::size_t>(i)].duration_ns) * 1e-9);
  std::ranges::sort(seconds);
  return {seconds[seconds.size() / 2], seconds.back()};
}

/// One host thread runs all emulated CPUs in turn: a busy guest gives a loader one share of it.
double sharers(const RunReport& report) {
  return report.machine.emulated ? static_cast<double>(report.machine.cpus) : 1;
}

bool line(const char* what, const Gaps& gaps, double value, double limit, const char* unit) {
  const bool met = value <= limit;
  fmt::print("{:28} median {:.3f} s, longest {:.3f} s: {:.2f} {} (at most {:.1f}) {}\n", what, gaps.median_s,
             gaps.longest_s, value, unit, limit, met ? "ok" : "MISSED");
  return met;
}

Result<bool> bench(const std::string& topology, int count) {
  if (!std::filesystem::exists(SCX_KTSTR))
    return Error{ErrorCode::kUnavailable, "scx_ktstr is not built: ninja scx_ktstr"};
  const auto scenario = swaps(KTSTR_TRY(vmm::Topology::parse(topology)), count);
  const auto report = KTSTR_TRY(run_scenario(scenario, {}));
  const auto& gaps = report.scheduler_gaps;
  const auto replacements = 3 * static_cast<std::size_t>(count);
  if (gaps.size() != replacements)
    return Error{ErrorCode::kGuestFailed,
                 fmt::format("{} of {} replacements; {}", gaps.size(), replacements,
                             report.failures.empty() ? report.reason.value_or("no reason is known")
                                                     : report.failures.front().message)};
  const auto idle = gaps_of(gaps, 0, count);
  const auto loaded = gaps_of(gaps, count, count);
  const auto preloaded = gaps_of(gaps, 2 * count, count);
  fmt::print("{:28} median {:.3f} s, longest {:.3f} s\n", "cold, idle guest", idle.median_s, idle.longest_s);
  const auto shares = sharers(report);
  if (shares > 1)
    fmt::print("emulated: {:g} busy CPUs share one host thread, limits x{:g}\n", shares, shares);
  bool met = line("cold, CPUs oversubscribed", loaded, loaded.median_s / idle.median_s, kLoadedLimit * shares,
                  "x idle");
  met &= line("preloaded, oversubscribed", preloaded, preloaded.longest_s, kPreloadedLimitS * shares, "s");
  return met;
}

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  CLI::App app("Time without a scheduler while one is replaced");
  int rounds = 5;
  std::string topology = "1n2l2c1t";
  app.add_option("--rounds", rounds, "replacements of each kind")->check(CLI::PositiveNumber);
  app.add_option("--topology", topology, "of the guest");
  CLI11_PARSE(app, argc, argv);
  const auto met = ktstr::bench::bench(topology, rounds);
  if (!met) fmt::print(stderr, "bench_swap: {}\n", met.error().message);
  return met ? (*met ? 0 : 1) : 3;
}
