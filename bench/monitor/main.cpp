// bench_monitor: the cost of one sample, on synthetic guests and on a running one.
#include <benchmark/benchmark.h>

#include <numeric>

#include "bench/monitor/sampling_cost.h"
#include "tests/introspect/monitor/live_guest.h"
#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::bench {
namespace {

using introspect::Sampler;
using introspect::test::KernelShape;
using introspect::test::LiveGuest;
using introspect::test::SchedGuest;

constexpr double kEightCpuBudgetUs = 50;

enum class Extras { kNone, kEvents, kDomains };

/// Two levels of domains: pairs, and all CPUs.
void add_domains(SchedGuest& guest) {
  std::vector<std::size_t> all(guest.cpus());
  std::iota(all.begin(), all.end(), 0);
  for (std::size_t cpu = 0; cpu < guest.cpus(); ++cpu) {
    const auto smt = guest.add_domain({}, 0, "SMT", {cpu & ~std::size_t{1}, cpu | 1});
    guest.add_domain(smt, 1, "MC", all);
    guest.set_rq(cpu, "sd", smt);
  }
}

void synthetic(benchmark::State& state, std::size_t cpus, Extras extras, double budget_us) {
  SchedGuest guest(KernelShape{}, cpus);
  if (extras == Extras::kEvents) guest.load_scheduler();
  if (extras == Extras::kDomains) add_domains(guest);
  const auto kernel = guest.attach();
  auto sampler = Sampler::create(kernel, {.domains_every = extras == Extras::kDomains ? 1U : 0U});
  if (!sampler) return state.SkipWithError(sampler.error().message.c_str());
  measure_sampling(state, *sampler, kernel, budget_us);
}

void live(benchmark::State& state) {
  auto guest = LiveGuest::boot({1, 2, 2, 1});
  if (!guest) return state.SkipWithError(("skipped: " + guest.error().message).c_str());
  auto sampler = Sampler::create((*guest)->kernel());
  if (!sampler) return state.SkipWithError(sampler.error().message.c_str());
  measure_sampling(state, *sampler, (*guest)->kernel());
}

/// A guest with work on every CPU, its domains read about once a second, as in a run.
void keeping(benchmark::State& state) {
  auto guest = LiveGuest::boot({1, 2, 2, 1});
  if (!guest) return state.SkipWithError(("skipped: " + guest.error().message).c_str());
  auto& agent = (*guest)->agent();
  const engine::Bursty work{std::chrono::milliseconds(2), std::chrono::milliseconds(3)};
  const auto spawned = agent.ask(engine::protocol::SpawnWorkers{std::nullopt, work, std::vector<CpuSet>(8),
                                                                engine::NormalPolicy{}, 0, ""});
  if (!spawned) return state.SkipWithError(spawned.error().message.c_str());
  auto sampler = Sampler::create((*guest)->kernel(), {.domains_every = 50});
  if (!sampler) return state.SkipWithError(sampler.error().message.c_str());
  measure_keeping(state, *sampler);
}

BENCHMARK_CAPTURE(synthetic, cpus_8, 8, Extras::kNone, kEightCpuBudgetUs);
BENCHMARK_CAPTURE(synthetic, cpus_8_with_scheduler, 8, Extras::kEvents, 0);
BENCHMARK_CAPTURE(synthetic, cpus_8_with_domains, 8, Extras::kDomains, 0);
BENCHMARK_CAPTURE(synthetic, cpus_252, 252, Extras::kNone, 0);
BENCHMARK_CAPTURE(synthetic, cpus_252_with_scheduler, 252, Extras::kEvents, 0);
BENCHMARK_CAPTURE(synthetic, cpus_252_with_domains, 252, Extras::kDomains, 0);
// A guest takes long to boot: measured once, with a fixed number of samples.
BENCHMARK(live)->Name("live/cpus_4")->Iterations(2'000);
BENCHMARK(keeping)->Name("keeping/cpus_4")->Iterations(100);

}  // namespace
}  // namespace ktstr::bench

BENCHMARK_MAIN();
