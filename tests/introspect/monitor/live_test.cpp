// What the sampler reads out of a running guest's memory, against what that guest's own kernel says in /proc.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "introspect/monitor/sampler.h"
#include "tests/introspect/monitor/live_guest.h"
#include "tests/skip.h"

namespace ktstr::introspect {
namespace {
using namespace test;

constexpr vmm::Topology kTopology{1, 2, 2, 1};

/// One CPU of /proc/schedstat (Documentation/scheduler/sched-stats.rst, version 17).
struct ProcSchedstat {
  std::uint64_t yld_count, legacy, sched_count, sched_goidle, ttwu_count, ttwu_local, cpu_time, run_delay,
      pcount;
  std::vector<std::string> domains;  ///< "MC f": name and mask
};

std::vector<ProcSchedstat> parse_schedstat(const std::string& text) {
  std::vector<ProcSchedstat> cpus;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string label, name, mask;
    words >> label;
    if (label.starts_with("cpu")) {
      auto& cpu = cpus.emplace_back();
      words >> cpu.yld_count >> cpu.legacy >> cpu.sched_count >> cpu.sched_goidle >> cpu.ttwu_count >>
          cpu.ttwu_local >> cpu.cpu_time >> cpu.run_delay >> cpu.pcount;
    } else if (label.starts_with("domain")) {
      words >> name >> mask;
      cpus.back().domains.push_back(name + " " + mask);
    }
  }
  return cpus;
}

/// "0-1,3" as the kernel prints masks: "b".
std::string hex_mask(const std::string& list) {
  std::uint64_t bits = 0;
  for (const auto cpu : CpuSet::parse(list).value().to_vector()) bits |= std::uint64_t{1} << cpu;
  std::ostringstream text;
  text << std::hex << bits;
  return text.str();
}

std::vector<std::string> domains_of(const CpuSnapshot& cpu) {
  std::vector<std::string> domains;
  for (const auto& domain : cpu.sched_domains.value_or(std::vector<SchedDomainSnapshot>()))
    domains.push_back(domain.name.value_or("?") + " " + hex_mask(domain.span));
  return domains;
}

MonitorSample sample_of(Sampler& sampler) {
  auto sample = sampler.sample(Duration());
  REQUIRE(sample.has_value());
  CHECK(sample->problems == std::vector<std::string>());
  return std::move(*sample);
}

/// The first sample that `holds`, or the last of 500. Between two samples the guest answers once: a CPU takes
/// on woken tasks, and lets go of ended ones, a little after the agent has told of it.
template <typename Condition>
MonitorSample sample_once(Sampler& sampler, LiveGuest& guest, Condition holds) {
  auto sample = sample_of(sampler);
  for (int i = 1; i < 500 && !holds(sample); ++i) {
    REQUIRE(guest.agent().ask(engine::protocol::ReadFile{"/proc/uptime"}).has_value());
    sample = sample_of(sampler);
  }
  return sample;
}

void check_between(std::uint64_t before, std::uint64_t value, std::uint64_t after) {
  CHECK(before <= value);
  CHECK(value <= after);
}

}  // namespace

TEST_CASE("samples of a running guest agree with its own /proc/schedstat") {
  auto booted = LiveGuest::boot(kTopology);
  if (!booted && booted.error().code == ErrorCode::kNotFound) SKIP_TEST(booted.error().message);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  auto& guest = **booted;
  auto sampler = Sampler::create(guest.kernel(), {.domains_every = 1}).value();
  CHECK(sampler.cpus() == 4);

  const auto before = sample_of(sampler);
  const auto file = guest.agent().ask(engine::protocol::ReadFile{"/proc/schedstat"});
  const auto after = sample_of(sampler);
  REQUIRE(file.has_value());
  const auto cpus = parse_schedstat(file->content);
  REQUIRE(cpus.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    const auto& low = before.cpus[i].schedstat.value();
    const auto& high = after.cpus[i].schedstat.value();
    check_between(low.run_delay, cpus[i].run_delay, high.run_delay);
    check_between(low.pcount, cpus[i].pcount, high.pcount);
    check_between(low.yld_count.value(), cpus[i].yld_count, high.yld_count.value());
    check_between(low.sched_count.value(), cpus[i].sched_count, high.sched_count.value());
    check_between(low.sched_goidle.value(), cpus[i].sched_goidle, high.sched_goidle.value());
    check_between(low.ttwu_count.value(), cpus[i].ttwu_count, high.ttwu_count.value());
    check_between(low.ttwu_local.value(), cpus[i].ttwu_local, high.ttwu_local.value());
    CHECK_FALSE(cpus[i].domains.empty());
    CHECK(domains_of(before.cpus[i]) == cpus[i].domains);
    CHECK_FALSE(before.cpus[i].event_counters.has_value());
  }
}

TEST_CASE("spinning workers show up on the run queue that they are pinned to") {
  auto booted = LiveGuest::boot(kTopology);
  if (!booted && booted.error().code == ErrorCode::kNotFound) SKIP_TEST(booted.error().message);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  auto& guest = **booted;
  auto sampler = Sampler::create(guest.kernel()).value();
  constexpr std::size_t kWorkers = 3;
  engine::protocol::SpawnWorkers spawn;
  spawn.work = engine::CpuSpin{};
  spawn.affinities.assign(kWorkers, CpuSet{1});
  REQUIRE(guest.agent().ask(spawn).has_value());

  const auto before =
      sample_once(sampler, guest, [](const auto& s) { return s.cpus[1].nr_running >= kWorkers; });
  REQUIRE(guest.agent().ask(engine::protocol::StopWorkers{}).has_value());
  const auto after =
      sample_once(sampler, guest, [](const auto& s) { return s.cpus[1].nr_running < kWorkers; });
  CHECK(before.cpus[1].nr_running >= kWorkers);
  CHECK(before.cpus[1].nr_running < kWorkers + 8);
  CHECK(after.cpus[1].nr_running < kWorkers);
  CHECK(after.cpus[1].rq_clock > before.cpus[1].rq_clock);
}

}  // namespace ktstr::introspect
