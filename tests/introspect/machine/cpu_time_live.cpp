// /proc/stat, /proc/softirqs and /proc/interrupts against memory.
#include "introspect/machine/cpu_time.h"
#include "tests/introspect/machine/live_checks.h"
#include "tests/introspect/machine/proc_files.h"

namespace ktstr::introspect::test {
namespace {

/// A time of /proc/stat and where memory has it.
struct Time {
  const char* name;
  std::uint64_t ProcStatCpu::*said;
  std::uint64_t PerCpuTimeStats::*read;
};
constexpr Time kTimes[] = {
    {"user", &ProcStatCpu::user, &PerCpuTimeStats::cpustat_user_ns},
    {"nice", &ProcStatCpu::nice, &PerCpuTimeStats::cpustat_nice_ns},
    {"system", &ProcStatCpu::system, &PerCpuTimeStats::cpustat_system_ns},
    {"irq", &ProcStatCpu::irq, &PerCpuTimeStats::cpustat_irq_ns},
    {"softirq", &ProcStatCpu::softirq, &PerCpuTimeStats::cpustat_softirq_ns},
    {"steal", &ProcStatCpu::steal, &PerCpuTimeStats::cpustat_steal_ns},
    {"guest", &ProcStatCpu::guest, &PerCpuTimeStats::cpustat_guest_ns},
    {"guest_nice", &ProcStatCpu::guest_nice, &PerCpuTimeStats::cpustat_guest_nice_ns},
};
constexpr std::uint64_t kTickNs = 10'000'000;

std::uint64_t whole_idle_periods(const PerCpuTimeStats& cpu) {
  return cpu.idle_sleeptime_ns.value_or(cpu.cpustat_idle_ns);
}

/// CLOCK_MONOTONIC of a guest that never slept, at most 20 ms too late.
std::uint64_t uptime_ns(engine::AgentClient& agent) {
  return static_cast<std::uint64_t>((std::stod(file_of(agent, "/proc/uptime")) + 0.02) * 1e9);
}

/// Each time of the file lies between two readings of memory. Of how many CPUs they were the same.
int counters_still(LiveGuest& guest, const CpuTimeReader& reader) {
  const auto before = rows_of(reader.read(guest.kernel()));
  const auto said = proc_stat(guest.agent());
  const auto after = rows_of(reader.read(guest.kernel()));
  REQUIRE(before.size() == kTopology.cpus());
  REQUIRE(said.size() == kTopology.cpus());
  int still = 0;
  for (std::size_t cpu = 0; cpu < said.size(); ++cpu) {
    CAPTURE(cpu);
    CHECK(before[cpu].cpu == cpu);
    for (const auto& time : kTimes) {
      CAPTURE(time.name);
      CHECK(before[cpu].*time.read / kTickNs <= said[cpu].*time.said);
      CHECK(said[cpu].*time.said <= after[cpu].*time.read / kTickNs);
    }
    still += before[cpu] == after[cpu];
  }
  return still;
}

std::uint64_t waiting_periods(const PerCpuTimeStats& cpu) {
  return cpu.iowait_sleeptime_ns.value_or(cpu.cpustat_iowait_ns);
}

/// A CPU that is busy throughout has all its idle time in its counters: the file says them to the tick.
bool busy_cpu_agrees(LiveGuest& guest, const CpuTimeReader& reader, std::size_t cpu) {
  const auto before = rows_of(reader.read(guest.kernel()))[cpu];
  const auto said = proc_stat(guest.agent())[cpu];
  const auto after = rows_of(reader.read(guest.kernel()))[cpu];
  const bool idle_between = before.idle_since_ns || after.idle_since_ns ||
                            whole_idle_periods(before) != whole_idle_periods(after) ||
                            waiting_periods(before) != waiting_periods(after);
  if (idle_between) return false;
  CHECK(said.idle == whole_idle_periods(before) / kTickNs);
  CHECK(said.iowait == waiting_periods(before) / kTickNs);
  return true;
}

/// The counter of a CPU in an idle period lags behind /proc/stat, by no more than the time since
/// idle_since_ns. Whether it lagged visibly.
bool idle_cpus_agree(LiveGuest& guest, const CpuTimeReader& reader) {
  const auto before = rows_of(reader.read(guest.kernel()));
  const auto said = proc_stat(guest.agent());
  const auto after = rows_of(reader.read(guest.kernel()));
  const auto latest = uptime_ns(guest.agent());
  bool lagged = false;
  for (std::size_t cpu = 0; cpu < said.size(); ++cpu) {
    CAPTURE(cpu);
    const auto running = latest - after[cpu].idle_since_ns.value_or(latest);
    CHECK(whole_idle_periods(before[cpu]) / kTickNs <= said[cpu].idle);
    CHECK(said[cpu].idle <=
          (whole_idle_periods(after[cpu]) + waiting_periods(after[cpu]) + running) / kTickNs);
    lagged =
        lagged || (after[cpu].idle_since_ns && whole_idle_periods(after[cpu]) / kTickNs < said[cpu].idle);
  }
  return lagged;
}

void check_interrupts(LiveGuest& guest, const CpuTimeReader& reader) {
  const auto before = rows_of(reader.read(guest.kernel()));
  const auto softirqs = proc_softirqs(guest.agent());
  const auto interrupts = proc_interrupts(guest.agent(), kTopology.cpus());
  const auto after = rows_of(reader.read(guest.kernel()));
  REQUIRE(softirqs.size() == kSoftirqNames.size());
  for (std::size_t cpu = 0; cpu < kTopology.cpus(); ++cpu) {
    CAPTURE(cpu);
    for (std::size_t i = 0; i < kSoftirqNames.size(); ++i) {
      CAPTURE(kSoftirqNames[i]);
      const auto said = softirqs.at(std::string(kSoftirqNames[i]))[cpu];
      CHECK(before[cpu].softirqs[i] <= said);
      CHECK(said <= after[cpu].softirqs[i]);
    }
    CHECK(before[cpu].irqs_sum <= interrupts[cpu]);
    CHECK(interrupts[cpu] <= after[cpu].irqs_sum);
  }
}

}  // namespace

void check_cpu_times(LiveGuest& guest) {
  auto reader = CpuTimeReader::create(guest.kernel());
  REQUIRE_MESSAGE(reader.has_value(), reader.error().message);
  bool still = false, lagged = false, busy = false;
  for (int i = 0; i < kAttempts && !(still && lagged); ++i) {
    still = counters_still(guest, *reader) > 0 || still;
    lagged = idle_cpus_agree(guest, *reader) || lagged;
  }
  CHECK(still);
  CHECK(lagged);
  check_interrupts(guest, *reader);
  spin_on(guest, std::nullopt, {CpuSet{1}});
  for (int i = 0; i < kAttempts && !busy; ++i) busy = busy_cpu_agrees(guest, *reader, 1);
  CHECK(busy);
  counters_still(guest, *reader);
  REQUIRE(guest.agent().ask(engine::protocol::StopWorkers{}).has_value());
}

}  // namespace ktstr::introspect::test
