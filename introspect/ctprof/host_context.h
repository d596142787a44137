// HostContext: the machine and kernel that a capture is of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect::ctprof {

struct HostContext {
  std::optional<std::string> kernel_release;
  std::optional<std::string> kernel_version;
  std::optional<std::string> architecture;
  std::optional<std::string> command_line;
  std::optional<std::string> boot_id;
  std::optional<std::string> cpu_model;
  std::optional<std::string> cpus_online;
  std::optional<std::uint64_t> packages;
  std::optional<std::uint64_t> cores;
  std::optional<std::string> nodes_online;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> swap_bytes;
  std::map<std::string, std::string> tunables;
  std::map<std::string, std::string> kernel_config;

  friend bool operator==(const HostContext&, const HostContext&) = default;

  static consteval auto describe() {
    using T = HostContext;
    return record(
        "the machine and kernel that was captured", field<&T::kernel_release>("uname -r"),
        field<&T::kernel_version>("uname -v"), field<&T::architecture>("uname -m"),
        field<&T::command_line>("of the kernel"),
        field<&T::boot_id>("the same in two captures: no reboot lay between them"),
        field<&T::cpu_model>("of the first CPU"), field<&T::cpus_online>("CPUs, as a list"),
        field<&T::packages>("processor packages"), field<&T::cores>("cores of all packages"),
        field<&T::nodes_online>("NUMA nodes, as a list"), field<&T::memory_bytes>("memory, bytes"),
        field<&T::swap_bytes>("swap, bytes"),
        field<&T::tunables>("settings that scheduling and memory depend on"),
        field<&T::kernel_config>("options that metrics depend on: y or n; empty without /proc/config.gz"));
  }
};

/// Reads it below these roots ("/proc", "/sys"); what is not there is absent.
[[nodiscard]] HostContext read_host_context(const std::filesystem::path& proc,
                                            const std::filesystem::path& sys);

/// Settings that are off and what they would give, a sentence each.
[[nodiscard]] std::vector<std::string> setting_hints(const HostContext& host);

/// Which parts of taskstats this kernel fills in: it answers with zeros for the others.
struct TaskstatsGates {
  bool cpu_delay = true;
  bool delays = true;
  bool xacct = true;
};

/// By kernel.task_delayacct and the kernel's configuration. What neither says counts as filled in.
[[nodiscard]] TaskstatsGates taskstats_gates(const HostContext& host);

}  // namespace ktstr::introspect::ctprof
