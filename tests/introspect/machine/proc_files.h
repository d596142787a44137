// What the guest itself says of its CPU times, pressure and NUMA counters: its files, parsed.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/agent/agent_client.h"
#include "introspect/machine/stats.h"

namespace ktstr::introspect::test {

inline std::string file_of(engine::AgentClient& agent, const std::string& path) {
  const auto file = agent.ask(engine::protocol::ReadFile{path});
  REQUIRE_MESSAGE(file.has_value(), (path + ": " + (file ? "" : file.error().message)));
  REQUIRE_FALSE(file->truncated);
  return file->content;
}

/// One "cpuN" line of /proc/stat, in ticks of 10 ms.
struct ProcStatCpu {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0,
                guest = 0, guest_nice = 0;
};

inline std::vector<ProcStatCpu> proc_stat(engine::AgentClient& agent) {
  std::vector<ProcStatCpu> cpus;
  std::istringstream lines(file_of(agent, "/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    std::istringstream words(line);
    std::string label;
    auto& cpu = cpus.emplace_back();
    words >> label >> cpu.user >> cpu.nice >> cpu.system >> cpu.idle >> cpu.iowait >> cpu.irq >>
        cpu.softirq >> cpu.steal >> cpu.guest >> cpu.guest_nice;
    REQUIRE(words);
  }
  return cpus;
}

/// /proc/softirqs: counts by CPU, by the vector's name.
inline std::map<std::string, std::vector<std::uint64_t>> proc_softirqs(engine::AgentClient& agent) {
  std::map<std::string, std::vector<std::uint64_t>> vectors;
  std::istringstream lines(file_of(agent, "/proc/softirqs"));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    name.pop_back();
    for (std::uint64_t count = 0; words >> count;) vectors[name].push_back(count);
  }
  return vectors;
}

/// /proc/interrupts: for each CPU the sum over the interrupts with a number, which are those with a
/// descriptor.
inline std::vector<std::uint64_t> proc_interrupts(engine::AgentClient& agent, std::size_t cpus) {
  std::vector<std::uint64_t> sums(cpus);
  std::istringstream lines(file_of(agent, "/proc/interrupts"));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string label;
    words >> label;
    if (label.find_first_not_of("0123456789:") != std::string::npos) continue;
    for (auto& sum : sums) {
      std::uint64_t count = 0;
      words >> count;
      sum += count;
    }
  }
  return sums;
}

/// A pressure file (Documentation/accounting/psi.rst).
inline PsiResource pressure(engine::AgentClient& agent, const std::string& path) {
  PsiResource resource;
  std::istringstream lines(file_of(agent, path));
  for (std::string line; std::getline(lines, line);) {
    PsiHalf half;
    unsigned long long whole[3], hundredths[3], total = 0;
    char kind[8];
    const int found =
        std::sscanf(line.c_str(), "%7s avg10=%llu.%llu avg60=%llu.%llu avg300=%llu.%llu total=%llu", kind,
                    &whole[0], &hundredths[0], &whole[1], &hundredths[1], &whole[2], &hundredths[2], &total);
    REQUIRE(found == 8);
    half = {whole[0] * 100 + hundredths[0], whole[1] * 100 + hundredths[1], whole[2] * 100 + hundredths[2],
            total};
    (std::string(kind) == "some" ? resource.some : resource.full) = half;
  }
  return resource;
}

inline PerNodeNumaStats numastat(engine::AgentClient& agent, std::uint32_t node) {
  std::istringstream words(
      file_of(agent, "/sys/devices/system/node/node" + std::to_string(node) + "/numastat"));
  std::map<std::string, std::uint64_t> counts;
  std::string name;
  for (std::uint64_t count = 0; words >> name >> count;) counts[name] = count;
  REQUIRE(counts.size() == 6);
  return {node,
          counts.at("numa_hit"),
          counts.at("numa_miss"),
          counts.at("numa_foreign"),
          counts.at("interleave_hit"),
          counts.at("local_node"),
          counts.at("other_node")};
}

}  // namespace ktstr::introspect::test
