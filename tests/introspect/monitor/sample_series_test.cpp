#include "introspect/monitor/sample_series.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "engine/base/delta_code.h"
#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

/// Changes some of the numbers, texts, lists and absences of any described value.
class Changer {
 public:
  explicit Changer(std::uint32_t seed) : random_(seed) {}

  void change(bool& flag) {
    if (one_in(4)) flag = !flag;
  }
  void change(std::string& text) {
    if (one_in(4)) text = std::string(below(5), static_cast<char>(below(256)));
  }
  template <class T>
  void change(std::optional<T>& value) {
    if (one_in(5)) value ? value.reset() : static_cast<void>(value.emplace());
    if (value) change(*value);
  }
  template <class T>
  void change(std::vector<T>& values) {
    if (one_in(5)) values.resize(below(5));
    for (auto& value : values) change(value);
  }
  template <class T, std::size_t N>
  void change(std::array<T, N>& values) {
    for (auto& value : values) change(value);
  }
  template <std::integral T>
  void change(T& number) {
    if (one_in(2)) number = static_cast<T>(number + static_cast<T>(below(200)));
    if (one_in(8)) number = static_cast<T>(random_());
    if (one_in(30)) number = std::numeric_limits<T>::max();
    if (one_in(30)) number = std::numeric_limits<T>::min();
  }
  template <DescribedRecord T>
  void change(T& record) {
    for_each_field<T>([&](const auto& field) { change(record.*field.member); });
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t many) { return below(many) == 0; }

  std::mt19937_64 random_;
};

/// As many CPUs as the changes make, or so many.
std::vector<MonitorSample> random_samples(std::uint32_t seed, std::size_t count,
                                          std::optional<std::size_t> cpus = std::nullopt) {
  Changer changer(seed);
  MonitorSample sample;
  std::vector<MonitorSample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    changer.change(sample);
    if (cpus) sample.cpus.resize(*cpus);
    samples.push_back(sample);
  }
  return samples;
}

/// Text that two samples have in common only when they are alike in every member.
std::vector<std::string> texts(const std::vector<MonitorSample>& samples) {
  std::vector<std::string> texts;
  for (const auto& sample : samples) texts.push_back(to_json(sample));
  return texts;
}

/// What a loaded machine of 64 CPUs counts in 100 ms.
std::vector<MonitorSample> busy_samples(std::size_t count) {
  std::mt19937_64 random(1);
  auto sample = MonitorSample::at(Duration(5'000'000'000));
  sample.cpus.resize(64);
  std::vector<MonitorSample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const auto next = MonitorSample::at(Duration(static_cast<std::int64_t>(sample.elapsed_ns + 100'000'000)));
    sample.elapsed_ns = next.elapsed_ns + random() % 100'000;
    sample.elapsed_ms = sample.elapsed_ns / 1'000'000;
    for (auto& cpu : sample.cpus) {
      cpu.nr_running = static_cast<std::uint32_t>(random() % 4);
      cpu.rq_clock += 98'000'000 + random() % 4'000'000;
      cpu.local_dsq_depth = 0;
      if (!cpu.schedstat) cpu.schedstat = RqSchedstat{0, 0, 0, 0, 0, 0, 0};
      cpu.schedstat->run_delay += random() % 100'000'000;
      cpu.schedstat->pcount += random() % 100;
      *cpu.schedstat->sched_count += static_cast<std::uint32_t>(random() % 100);
      *cpu.schedstat->ttwu_count += static_cast<std::uint32_t>(random() % 60);
      *cpu.schedstat->ttwu_local += static_cast<std::uint32_t>(random() % 60);
    }
    samples.push_back(sample);
  }
  return samples;
}

}  // namespace

TEST_CASE("a series gives back what was added, whatever it is") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const auto samples = random_samples(seed, 100);
    const SampleSeries series(samples);
    CHECK(series.size() == samples.size());
    REQUIRE(texts(listed(series)) == texts(samples));
  }
}

TEST_CASE("a series of several blocks can be read while it grows") {
  const auto samples = random_samples(21, 1'500, 40);
  SampleSeries series;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    series.add(samples[i]);
    if (i % 500 == 499)
      REQUIRE(texts(listed(series)) ==
              texts({samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(i) + 1}));
  }
  CHECK(series.bytes() > 2U << 20);  // blocks have one
}

TEST_CASE("copies grow apart, and what was moved from is empty") {
  const auto samples = random_samples(22, 30);
  SampleSeries series(std::vector(samples.begin(), samples.begin() + 10));
  SampleSeries copy(series);
  CHECK(copy.bytes() == series.bytes());
  copy.add(samples[20]);
  series.add(samples[10]);
  CHECK(to_json(listed(copy).back()) == to_json(samples[20]));
  CHECK(texts(listed(series)) == texts({samples.begin(), samples.begin() + 11}));
  const SampleSeries moved(std::move(series));
  CHECK(moved.size() == 11);
  CHECK(series.empty());
  CHECK(series.bytes() == 0);
  CHECK(listed(series).empty());
}

TEST_CASE("thinning keeps every n-th sample from the first on") {
  const auto samples = random_samples(23, 8);
  const auto thinned = SampleSeries(samples).thinned(3);
  CHECK(texts(listed(thinned)) == texts({samples[0], samples[3], samples[6]}));
}

TEST_CASE("a busy CPU's sample takes a tenth of what it takes as a structure") {
  const auto samples = busy_samples(300);
  const SampleSeries series(samples);
  CHECK(series.bytes() < samples.size() * samples[0].cpus.size() * sizeof(CpuSnapshot) / 10);
}

TEST_CASE("what does not change costs a byte") {
  MonitorSample sample = sample_at(5, {cpu(1, 2), cpu(3, 4)});
  SampleSeries series;
  series.add(sample);
  const auto first = series.bytes();
  series.add(sample);
  CHECK(series.bytes() == first + 1);
}

TEST_CASE("a text that comes back after an absence costs nothing again") {
  SchedDomainSnapshot domain;
  domain.name = "a name of some length";
  auto with = sample_at(0, {cpu(1, 2)});
  with.cpus[0].sched_domains = {domain};
  const auto without = sample_at(0, {cpu(1, 2)});
  SampleSeries series(std::vector{with, without});
  const auto before = series.bytes();
  series.add(with);
  CHECK(series.bytes() <= before + 4);
  CHECK(texts(listed(series)) == texts({with, without, with}));
}

}  // namespace ktstr::introspect
