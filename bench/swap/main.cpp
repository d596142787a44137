// bench_swap: how long a guest is without a scheduler while one is replaced by another: idle; while every CPU
// but one is busy, which is what the machine itself costs ("floor"); under load; and under load with the
// successor preloaded. All in one run of one guest, by the guest's own clock. In another run: what workers do
// while one is replaced, beside what they do in as much time without that.
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
constexpr Duration kWorkTime = 2s;

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

CgroupDef spinners(std::uint32_t cpus) {
  CgroupDef load;
  load.works.emplace_back().workers = cpus * kOversubscription;
  return load;
}

/// Pairs of cgroups: both work for a while, the second for the time of a replacement more.
Scenario works(const vmm::Topology& topology, int count) {
  Scenario scenario;
  scenario.name = "work";
  scenario.topology = topology;
  scenario.duration = 24h;
  scenario.scheduler = scheduler("first");
  const auto load = spinners(static_cast<std::uint32_t>(topology.cpus()));
  for (int i = 0; i < count; ++i) {
    const auto plain = fmt::format("plain{}", i), replaced = fmt::format("replaced{}", i);
    const auto next = scheduler(i % 2 == 0 ? "second" : "first");
    scenario.steps.push_back({.ops = {AddCgroupOp{plain, load}}, .setup = {}, .hold = FixedHold{kWorkTime}});
    scenario.steps.push_back({.ops = {RemoveCgroupOp{plain}, AddCgroupOp{replaced, load},
                                      ReplaceSchedulerOp{next, Handover::kCold}},
                              .setup = {},
                              .hold = FixedHold{kWorkTime}});
    scenario.steps.push_back({.ops = {RemoveCgroupOp{replaced}}, .setup = {}, .hold = FixedHold{kRest}});
  }
  return scenario;
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
  scenario.steps.push_back(
      {.ops = {AddCgroupOp{"load", spinners(cpus)}}, .setup = {}, .hold = FixedHold{kRest}});
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

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Result<double> work_of(const RunReport& report, const std::string& cgroup) {
  const auto found = std::ranges::find(report.groups, cgroup, &GroupSummary::cgroup);
  if (found == report.groups.end() || !found->work_units || found->reported != found->workers)
    return Error{ErrorCode::kGuestFailed, "the work of " + cgroup + " is not known"};
  return static_cast<double>(*found->work_units);
}

/// How long replacements take, and how much of that time's work the workers lose.
Status bench_work(const std::string& topology, int count) {
  const auto report = KTSTR_TRY(run_scenario(works(KTSTR_TRY(vmm::Topology::parse(topology)), count), {}));
  std::vector<double> took_s, lost_s, lost;
  for (const auto& event : report.timeline.events)
    if (event.op == "replace_scheduler") took_s.push_back(static_cast<double>(event.took_ns) * 1e-9);
  if (took_s.size() != static_cast<std::size_t>(count))
    return Error{ErrorCode::kGuestFailed, fmt::format("{} of {} replacements", took_s.size(), count)};
  for (int i = 0; i < count; ++i) {
    const auto plain = KTSTR_TRY(work_of(report, fmt::format("plain{}", i)));
    const auto replaced = KTSTR_TRY(work_of(report, fmt::format("replaced{}", i)));
    const auto took = took_s[static_cast<std::size_t>(i)];
    lost_s.push_back(took - (replaced - plain) / plain * static_cast<double>(kWorkTime.ns) * 1e-9);
    lost.push_back(100 * lost_s.back() / took);
  }
  fmt::print("cold, oversubscribed         median {:.2f} s, of whose work {:.0f} % is lost: {:.2f} s\n",
             median(took_s), median(lost), median(lost_s));
  return ok();
}

Result<bool> bench(const std::string& topology, int count) {
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

Result<bool> run(const std::string& topology, int count, bool only_work) {
  if (!std::filesystem::exists(SCX_KTSTR))
    return Error{ErrorCode::kUnavailable, "scx_ktstr is not built: ninja scx_ktstr"};
  const bool met = only_work || KTSTR_TRY(bench(topology, count));
  KTSTR_TRY(bench_work(topology, count));
  return met;
}

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  CLI::App app("Time without a scheduler while one is replaced");
  int rounds = 5;
  std::string topology = "1n2l2c1t";
  bool only_work = false;
  app.add_option("--rounds", rounds, "replacements of each kind")->check(CLI::PositiveNumber);
  app.add_option("--topology", topology, "of the guest");
  app.add_flag("--only-work", only_work, "measure only what workers lose");
  CLI11_PARSE(app, argc, argv);
  const auto met = ktstr::bench::run(topology, rounds, only_work);
  if (!met) fmt::print(stderr, "bench_swap: {}\n", met.error().message);
  return met ? (*met ? 0 : 1) : 3;
}
