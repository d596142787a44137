// bench_swap: how long a guest is without a scheduler while one is replaced by another: idle; while every CPU
// but one is busy, which is what the machine itself costs ("floor"); under load; and under load with the
// successor preloaded. All in one run of one guest, by the guest's own clock.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "engine/run/runner.h"

namespace ktstr::bench {
namespace {

using namespace engine;
using namespace std::chrono_literals;

constexpr double kLoadedLimit = 1.5;  ///< of the floor
constexpr double kPreloadedLimitS = 0.1;
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

/// Every CPU but the first has a spinner of its own: whoever loads has a CPU for itself.
void add_neighbours(Scenario& scenario, std::uint32_t cpus) {
  Step begin{.ops = {}, .setup = {}, .hold = FixedHold{kRest}};
  for (std::uint32_t cpu = 1; cpu < cpus; ++cpu) {
    CgroupDef neighbour;
    neighbour.cpuset = ExactCpuset{CpuSet{cpu}};
    neighbour.works.emplace_back().workers = 1;
    begin.ops.emplace_back(AddCgroupOp{fmt::format("cpu{}", cpu), neighbour});
  }
  scenario.steps.push_back(begin);
}

void remove_neighbours(Scenario& scenario, std::uint32_t cpus) {
  Step end{.ops = {}, .setup = {}, .hold = FixedHold{kRest}};
  for (std::uint32_t cpu = 1; cpu < cpus; ++cpu)
    end.ops.emplace_back(RemoveCgroupOp{fmt::format("cpu{}", cpu)});
  scenario.steps.push_back(end);
}

Scenario swaps(const vmm::Topology& topology, int count) {
  Scenario scenario;
  scenario.name = "swap";
  scenario.topology = topology;
  scenario.duration = 24h;
  scenario.scheduler = scheduler("first");
  const auto cpus = static_cast<std::uint32_t>(topology.cpus());
  add_replacements(scenario, count, Handover::kCold);
  add_replacements(scenario, count, Handover::kPreloaded);
  add_neighbours(scenario, cpus);
  add_replacements(scenario, count, Handover::kCold);
  remove_neighbours(scenario, cpus);
  CgroupDef load;
  load.works.emplace_back().workers = cpus * kOversubscription;
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

void line(const char* what, const Gaps& gaps) {
  fmt::print("{:28} median {:.3f} s, longest {:.3f} s\n", what, gaps.median_s, gaps.longest_s);
}

bool ask(const char* what, double value, double limit, const char* unit) {
  const bool met = value <= limit;
  fmt::print("{:28} {:.2f} {} (at most {:g}) {}\n", what, value, unit, limit, met ? "ok" : "MISSED");
  return met;
}

Result<bool> bench(const std::string& topology, int count) {
  if (!std::filesystem::exists(SCX_KTSTR))
    return Error{ErrorCode::kUnavailable, "scx_ktstr is not built: ninja scx_ktstr"};
  const auto scenario = swaps(KTSTR_TRY(vmm::Topology::parse(topology)), count);
  const auto report = KTSTR_TRY(run_scenario(scenario, {}));
  const auto& gaps = report.scheduler_gaps;
  const auto replacements = 5 * static_cast<std::size_t>(count);
  if (gaps.size() != replacements)
    return Error{ErrorCode::kGuestFailed,
                 fmt::format("{} of {} replacements; {}", gaps.size(), replacements,
                             report.failures.empty() ? report.reason.value_or("no reason is known")
                                                     : report.failures.front().message)};
  const auto idle = gaps_of(gaps, 0, count);
  const auto idle_preloaded = gaps_of(gaps, count, count);
  const auto floor = gaps_of(gaps, 2 * count, count);
  const auto loaded = gaps_of(gaps, 3 * count, count);
  const auto preloaded = gaps_of(gaps, 4 * count, count);
  line("cold, idle guest", idle);
  line("cold, floor", floor);
  line("cold, CPUs oversubscribed", loaded);
  line("preloaded, idle guest", idle_preloaded);
  line("preloaded, oversubscribed", preloaded);
  fmt::print("cold, oversubscribed, median {:.2f} of the idle one\n", loaded.median_s / idle.median_s);
  fmt::print("preloaded, oversubscribed, median {:.2f} of the idle one\n",
             preloaded.median_s / idle_preloaded.median_s);
  bool met =
      ask("cold, oversubscribed, longest", loaded.longest_s / floor.median_s, kLoadedLimit, "of the floor");
  met &= ask("preloaded, longest", preloaded.longest_s, kPreloadedLimitS, "s");
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
