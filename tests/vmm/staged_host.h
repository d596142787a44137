// StagedHost: a sysfs that tells of a host of a test's own.
#pragma once

#include <fmt/format.h>

#include <string>

#include "tests/temporary_directory.h"
#include "vmm/topology.h"

namespace ktstr::vmm {

/// CPUs as in Topology: node by node, LLC by LLC, core by core, siblings beside each other.
class StagedHost {
 public:
  explicit StagedHost(const Topology& topology) : topology_(topology) {
    write("devices/system/cpu/online", CpuSet::range(0, topology.cpus()));
    for (std::size_t llc = 0; llc < topology.llcs; ++llc)
      for (const auto cpu : topology.llc_cpus(llc).to_vector()) write_cpu(cpu, topology.llc_cpus(llc));
    write("devices/system/node/online", CpuSet::range(0, topology.nodes));
    for (std::size_t node = 0; node < topology.nodes; ++node)
      write(fmt::format("devices/system/node/node{}/cpulist", node), topology.node_cpus(node));
  }

  [[nodiscard]] const std::filesystem::path& sysfs() const { return directory_.path(); }
  [[nodiscard]] CpuSet cpus() const { return CpuSet::range(0, topology_.cpus()); }

  void write(const std::string& file, const CpuSet& set) const { write(file, set.to_string()); }
  void write(const std::string& file, const std::string& line) const { directory_.write(file, line + "\n"); }
  void remove(const std::string& file) const { std::filesystem::remove_all(sysfs() / file); }
  static std::string of_cpu(std::size_t cpu, std::string_view file) {
    return fmt::format("devices/system/cpu/cpu{}/{}", cpu, file);
  }

 private:
  void write_cpu(std::size_t cpu, const CpuSet& llc) const {
    write(of_cpu(cpu, "topology/thread_siblings_list"), topology_.core_cpus(cpu));
    write(of_cpu(cpu, "topology/package_cpus_list"), cpus());
    write(of_cpu(cpu, "cache/index0/level"), "1");
    write(of_cpu(cpu, "cache/index0/shared_cpu_list"), topology_.core_cpus(cpu));
    write(of_cpu(cpu, "cache/index1/level"), "3");
    write(of_cpu(cpu, "cache/index1/shared_cpu_list"), llc);
  }

  Topology topology_;
  ktstr::test::TemporaryDirectory directory_;
};

}  // namespace ktstr::vmm
