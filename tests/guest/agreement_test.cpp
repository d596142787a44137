// What is read from the guest's memory, compared with what the guest says of itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "engine/observe/machine_memory.h"
#include "introspect/kernel.h"
#include "introspect/monitor/sampler.h"
#include "introspect/symbols/symbol_table.h"
#include "tests/guest/guest_files.h"
#include "tests/guest/guest_fixture.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;
using introspect::MonitorSample;

namespace {

/// A booted guest with its kernel attached. Stays where it is made: its parts refer to one another.
class Observed {
 public:
  explicit Observed(const vmm::Topology& topology) {
    auto booted = boot(*default_kernel(), topology);
    REQUIRE_MESSAGE(booted, (booted ? "" : booted.error().message));
    guest_ = std::move(*booted);
    const auto debug_info = introspect::KernelDebugInfo::load(guest_.kernel.symbols, guest_.kernel.btf);
    REQUIRE(debug_info);
    const auto frozen = guest_.machine->freeze(10s);
    REQUIRE(frozen);
    REQUIRE(guest_.machine->thaw());
    memory_ = machine_memory(*guest_.machine);
    auto kernel = introspect::Kernel::attach(memory_, *debug_info, cpu_contexts(*frozen));
    REQUIRE_MESSAGE(kernel, (kernel ? "" : kernel.error().message));
    kernel_.emplace(std::move(*kernel));
    auto sampler = introspect::Sampler::create(*kernel_, {.domains_every = 1});
    REQUIRE(sampler);
    sampler_.emplace(std::move(*sampler));
  }

  AgentClient& agent() { return *guest_.agent; }
  const introspect::Kernel& kernel() const { return *kernel_; }
  MonitorSample sample() {
    auto sample = sampler_->sample(std::chrono::steady_clock::now() - guest_.epoch);
    REQUIRE_MESSAGE(sample, (sample ? "" : sample.error().message));
    return std::move(*sample);
  }

 private:
  BootedGuest guest_;
  introspect::SpanMemory memory_;
  std::optional<introspect::Kernel> kernel_;
  std::optional<introspect::Sampler> sampler_;
};

const vmm::Topology kTwoLlcs{1, 2, 2, 1};

/// Counters only grow: what the guest says lies between what was read before and after.
void check_counters(Observed& guest) {
  const auto before = guest.sample();
  const auto said = proc_schedstat(guest.agent());
  const auto after = guest.sample();
  REQUIRE(said.size() == before.cpus.size());
  for (std::size_t cpu = 0; cpu < said.size(); ++cpu) {
    CAPTURE(cpu);
    CHECK(before.cpus[cpu].schedstat->pcount <= said[cpu].pcount);
    CHECK(said[cpu].pcount <= after.cpus[cpu].schedstat->pcount);
    CHECK(before.cpus[cpu].schedstat->run_delay <= said[cpu].run_delay);
    CHECK(said[cpu].run_delay <= after.cpus[cpu].schedstat->run_delay);
  }
}

/// A CPU on which nothing happened between the two samples must have the very counters that the guest tells.
bool some_quiet_cpu_agrees(Observed& guest) {
  const auto before = guest.sample();
  const auto said = proc_schedstat(guest.agent());
  const auto after = guest.sample();
  bool agreed = false;
  for (std::size_t cpu = 0; cpu < said.size(); ++cpu) {
    const auto& first = *before.cpus[cpu].schedstat;
    const auto& last = *after.cpus[cpu].schedstat;
    if (first.pcount != last.pcount || first.run_delay != last.run_delay) continue;
    CHECK(said[cpu].pcount == first.pcount);
    CHECK(said[cpu].run_delay == first.run_delay);
    agreed = agreed || first.pcount > 0;
  }
  return agreed;
}

void check_domains(Observed& guest) {
  const auto said = proc_schedstat(guest.agent());
  const auto sample = guest.sample();
  for (std::size_t cpu = 0; cpu < said.size(); ++cpu) {
    CAPTURE(cpu);
    REQUIRE(sample.cpus[cpu].sched_domains);
    const auto& domains = *sample.cpus[cpu].sched_domains;
    REQUIRE(domains.size() == said[cpu].domains.size());
    CHECK_FALSE(domains.empty());
    for (std::size_t level = 0; level < domains.size(); ++level) {
      const auto& [name, span] = said[cpu].domains[level];
      CHECK(domains[level].name == name);
      CHECK(domains[level].span == span.to_string());
    }
  }
}

/// The innermost domain of two cores that share a cache is that cache; the guest's sysfs tells who shares it.
void check_topology(Observed& guest) {
  const std::string cpus = "/sys/devices/system/cpu/";
  CHECK(guest.kernel().online_cpus() == guest_cpu_list(guest.agent(), cpus + "online"));
  CHECK(guest.kernel().possible_cpus() == guest_cpu_list(guest.agent(), cpus + "possible"));
  const auto sample = guest.sample();
  for (std::size_t cpu = 0; cpu < kTwoLlcs.cpus(); ++cpu) {
    CAPTURE(cpu);
    const auto llc =
        guest_cpu_list(guest.agent(), cpus + "cpu" + std::to_string(cpu) + "/cache/index3/shared_cpu_list");
    CHECK(sample.cpus[cpu].sched_domains->front().span == llc.to_string());
    CHECK(llc == kTwoLlcs.llc_cpus(cpu / kTwoLlcs.cpus_per_llc()));
  }
}

protocol::SpawnWorkers pinned_spinners(const std::vector<std::size_t>& cpus) {
  protocol::SpawnWorkers spawn;
  spawn.work = CpuSpin{};
  for (const auto cpu : cpus) spawn.affinities.push_back(CpuSet{cpu});
  return spawn;
}

/// The agent tells of workers as soon as they are woken; ends when each has had CPU time since.
void wait_until_on_cpu(Observed& guest, const std::vector<std::int32_t>& tids) {
  std::vector<std::uint64_t> first;
  for (const auto tid : tids) first.push_back(proc_task_schedstat(guest.agent(), tid).cpu_time);
  for (std::size_t i = 0; i < tids.size(); ++i) {
    std::size_t reads = 0;
    constexpr std::uint64_t kLongerThanAWakeUp = 1'000'000;  // ns
    while (proc_task_schedstat(guest.agent(), tids[i]).cpu_time < first[i] + kLongerThanAWakeUp)
      REQUIRE(++reads < 5000);
  }
}

/// With 1, 2 and 3 spinners pinned to CPUs 1, 2 and 3, their run queues hold those and, for moments, a kernel
/// thread.
void check_nr_running(Observed& guest) {
  std::array<std::uint32_t, 3> least{UINT32_MAX, UINT32_MAX, UINT32_MAX};
  const std::array<std::uint32_t, 3> spinners{1, 2, 3};
  // A kernel thread that sleeps again may still be counted until the fair class lets it go (delayed dequeue).
  for (int i = 0; i < 50 || (i < 2000 && least != spinners); ++i) {
    const auto sample = guest.sample();
    for (std::size_t cpu = 1; cpu <= least.size(); ++cpu)
      least[cpu - 1] = std::min(least[cpu - 1], sample.cpus[cpu].nr_running);
    static_cast<void>(guest_file(guest.agent(), "/proc/uptime"));
  }
  CHECK(least[0] == spinners[0]);
  CHECK(least[1] == spinners[1]);
  CHECK(least[2] == spinners[2]);
}

/// What one task waited and how often it came on is a part of what its CPU counted meanwhile.
void check_tasks(Observed& guest, const std::vector<std::int32_t>& tids) {
  const auto before = guest.sample();
  std::vector<ProcTaskSchedstat> first, last;
  for (const auto tid : tids) first.push_back(proc_task_schedstat(guest.agent(), tid));
  // Long enough for the first of the three to come on again.
  for (int i = 0; i < 5000 && proc_task_schedstat(guest.agent(), tids[3]).pcount == first[3].pcount; ++i) {
  }
  for (const auto tid : tids) last.push_back(proc_task_schedstat(guest.agent(), tid));
  const auto after = guest.sample();

  std::uint64_t waited = 0, came_on = 0;  // of the three on CPU 3
  for (std::size_t i = 3; i < tids.size(); ++i) {
    waited += last[i].run_delay - first[i].run_delay;
    came_on += last[i].pcount - first[i].pcount;
    CHECK(proc_task_sched(guest.agent(), tids[i], "policy") == "0");
  }
  CHECK(came_on > 0);
  CHECK(waited > 0);
  CHECK(after.cpus[3].schedstat->pcount - before.cpus[3].schedstat->pcount >= came_on);
  CHECK(after.cpus[3].schedstat->run_delay - before.cpus[3].schedstat->run_delay >= waited);
}

/// One line of /proc/kallsyms.
struct ProcSymbol {
  std::uint64_t address = 0;
  char type = 0;
  std::string name;
};

/// The kernel image's own symbols: those of modules, BPF programs and trampolines have a fourth column.
std::vector<ProcSymbol> proc_kallsyms(AgentClient& agent) {
  std::istringstream lines(guest_file(agent, "/proc/kallsyms"));
  std::vector<ProcSymbol> symbols;
  for (std::string line; std::getline(lines, line);) {
    if (line.find('\t') != std::string::npos) continue;
    std::istringstream fields(line);
    auto& symbol = symbols.emplace_back();
    fields >> std::hex >> symbol.address >> symbol.type >> symbol.name;
  }
  return symbols;
}

/// All of them, in order. Only the first difference is reported: there are some 190 000 symbols.
void check_symbols(Observed& guest) {
  const auto said = proc_kallsyms(guest.agent());
  const auto& decoded = guest.kernel().symbols();
  const auto slide = guest.kernel().image().slide;
  REQUIRE(said.size() == decoded.size());
  REQUIRE(said.size() > 50'000);
  std::size_t different = 0;
  while (different < said.size()) {
    const auto symbol = decoded[different];
    const auto& expected = said[different];
    if (symbol.address.value() + slide != expected.address || symbol.type != expected.type ||
        symbol.name != expected.name)
      break;
    ++different;
  }
  INFO("symbol " << different << ": " << (different < said.size() ? said[different].name : ""));
  CHECK(different == said.size());
}

}  // namespace

TEST_CASE("memory agrees with what the guest says: counters, domains, topology, tasks, symbols") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  Observed guest(kTwoLlcs);
  check_topology(guest);
  check_domains(guest);
  check_counters(guest);
  bool agreed = false;
  for (int attempt = 0; attempt < 50 && !agreed; ++attempt) agreed = some_quiet_cpu_agrees(guest);
  CHECK(agreed);

  const auto spawned = guest.agent().ask(pinned_spinners({1, 2, 2, 3, 3, 3}));
  REQUIRE(spawned);
  wait_until_on_cpu(guest, spawned->tids);
  check_nr_running(guest);
  check_tasks(guest, spawned->tids);
  check_counters(guest);
  REQUIRE(guest.agent().ask(protocol::StopWorkers{}));

  check_symbols(guest);
}
