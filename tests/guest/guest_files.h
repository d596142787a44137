// What the guest itself says of its scheduler, read from its /proc and /sys and parsed.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/agent/agent_client.h"
#include "engine/base/cpu_set.h"

namespace ktstr::engine::testing {

/// The whole file, or a failed test.
inline std::string guest_file(AgentClient& agent, const std::string& path) {
  const auto file = agent.ask(protocol::ReadFile{path, 48U << 20});
  REQUIRE_MESSAGE(file, (path + ": " + (file ? "" : file.error().message)));
  REQUIRE_FALSE(file->truncated);
  return file->content;
}

/// A sysfs list such as "0-3".
inline CpuSet guest_cpu_list(AgentClient& agent, const std::string& path) {
  auto text = guest_file(agent, path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto cpus = CpuSet::parse(text);
  REQUIRE(cpus);
  return *cpus;
}

/// A CPU mask in the kernel's hexadecimal notation: words of 32 bits, the highest first, separated by commas.
inline CpuSet parse_mask(const std::string& mask) {
  CpuSet cpus;
  std::size_t bit = 0;
  for (auto digit = mask.rbegin(); digit != mask.rend(); ++digit) {
    if (*digit == ',') continue;
    const auto value = static_cast<unsigned>(std::stoul(std::string(1, *digit), nullptr, 16));
    for (unsigned i = 0; i < 4; ++i)
      if (value & (1U << i)) cpus.add(bit + i);
    bit += 4;
  }
  return cpus;
}

/// One CPU of /proc/schedstat (Documentation/scheduler/sched-stats.rst).
struct ProcSchedstatCpu {
  std::uint64_t run_delay = 0;
  std::uint64_t pcount = 0;
  std::vector<std::pair<std::string, CpuSet>> domains;  ///< name and span, lowest first
};

/// From format version 17 on, domain lines hold the domain's name.
inline std::vector<ProcSchedstatCpu> proc_schedstat(AgentClient& agent) {
  std::istringstream lines(guest_file(agent, "/proc/schedstat"));
  std::vector<ProcSchedstatCpu> cpus;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string key, name, mask;
    fields >> key;
    if (key.starts_with("cpu")) {
      auto& cpu = cpus.emplace_back();
      std::uint64_t skipped = 0;
      for (int i = 0; i < 7; ++i) fields >> skipped;
      fields >> cpu.run_delay >> cpu.pcount;
    } else if (key.starts_with("domain")) {
      fields >> name >> mask;
      cpus.back().domains.emplace_back(name, parse_mask(mask));
    }
  }
  return cpus;
}

/// /proc/TID/schedstat: time on a CPU, time runnable but waiting, times put on a CPU.
struct ProcTaskSchedstat {
  std::uint64_t cpu_time = 0;
  std::uint64_t run_delay = 0;
  std::uint64_t pcount = 0;
};

inline ProcTaskSchedstat proc_task_schedstat(AgentClient& agent, std::int32_t tid) {
  std::istringstream fields(guest_file(agent, "/proc/" + std::to_string(tid) + "/schedstat"));
  ProcTaskSchedstat task;
  fields >> task.cpu_time >> task.run_delay >> task.pcount;
  return task;
}

/// One value of /proc/TID/sched, "name : value".
inline std::string proc_task_sched(AgentClient& agent, std::int32_t tid, const std::string& name) {
  std::istringstream lines(guest_file(agent, "/proc/" + std::to_string(tid) + "/sched"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string key, colon, value;
    fields >> key >> colon >> value;
    if (key == name) return value;
  }
  return {};
}

}  // namespace ktstr::engine::testing
