#include "bench/monitor/sampling_cost.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "introspect/monitor/sample_series.h"

namespace ktstr::bench {
namespace {

using Clock = std::chrono::steady_clock;

double ns_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

/// Fastest of many rounds of copying `bytes` from each of `places` places, ns per place.
double copy_floor_ns(std::size_t places, std::size_t bytes) {
  constexpr int kRounds = 2'000;
  const std::size_t stride = (bytes + 4095) / 4096 * 4096;  // run queues lie in areas of their own
  std::vector<std::byte> source(places * stride);
  std::vector<std::byte> target(bytes);
  double fastest = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    for (std::size_t place = 0; place < places; ++place) {
      std::memcpy(target.data(), source.data() + place * stride, bytes);
      benchmark::DoNotOptimize(target.data());
      benchmark::ClobberMemory();
    }
    fastest = std::min(fastest, ns_since(begin));
  }
  return fastest / static_cast<double>(places);
}

}  // namespace

void measure_sampling(benchmark::State& state, introspect::Sampler& sampler, const introspect::Kernel& kernel,
                      double budget_us) {
  const auto layout = introspect::resolve_layout<introspect::RqLayout>(kernel.btf());
  if (!layout) return state.SkipWithError(layout.error().message.c_str());
  double fastest = std::numeric_limits<double>::max();
  double total = 0;
  for (auto _ : state) {
    const auto begin = Clock::now();
    auto sample = sampler.sample(Duration());
    const double took = ns_since(begin);
    benchmark::DoNotOptimize(sample);
    if (!sample) return state.SkipWithError(sample.error().message.c_str());
    total += took;
    fastest = std::min(fastest, took);
  }
  const auto cpus = static_cast<double>(sampler.cpus());
  const double floor = copy_floor_ns(sampler.cpus(), layout->fields_end() - layout->fields_begin());
  state.counters["ns_per_cpu"] = total / static_cast<double>(state.iterations()) / cpus;
  state.counters["us_fastest"] = fastest / 1e3;
  state.counters["floor_ns_per_cpu"] = floor;
  state.counters["ratio"] = fastest / cpus / floor;
  if (budget_us > 0 && fastest > budget_us * 1e3)
    state.SkipWithError(("a sample takes more than " + std::to_string(budget_us) + " us").c_str());
}

void measure_keeping(benchmark::State& state, introspect::Sampler& sampler) {
  constexpr int kSamples = 200;
  const auto epoch = Clock::now();
  std::vector<introspect::MonitorSample> samples;
  for (int i = 0; i < kSamples; ++i) {
    auto sample = sampler.sample(Duration(Clock::now() - epoch));
    if (!sample) return state.SkipWithError(sample.error().message.c_str());
    samples.push_back(std::move(*sample));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const auto snapshots = static_cast<double>(samples.size() * sampler.cpus());
  double keep = std::numeric_limits<double>::max(), read = keep, bytes = 0;
  for (auto _ : state) {
    introspect::SampleSeries series;
    const auto begin = Clock::now();
    for (const auto& sample : samples) series.add(sample);
    keep = std::min(keep, ns_since(begin));
    const auto kept = Clock::now();
    for (const auto& sample : series) benchmark::DoNotOptimize(&sample);
    read = std::min(read, ns_since(kept));
    bytes = static_cast<double>(series.bytes());
  }
  state.counters["bytes_per_cpu"] = bytes / snapshots;
  state.counters["keep_ns_per_cpu"] = keep / snapshots;
  state.counters["read_ns_per_cpu"] = read / snapshots;
}

}  // namespace ktstr::bench
