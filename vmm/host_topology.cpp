#include "vmm/host_topology.h"

#include <fmt/format.h>
#include <sched.h>

#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_line(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return Error{ErrorCode::kNotFound, file.string() + " is missing"};
  std::string line;
  std::getline(stream, line);  // the list of a node that has memory alone is an empty line
  return line;
}

Result<CpuSet> read_set(const fs::path& file) {
  auto set = CpuSet::parse(KTSTR_TRY(read_line(file)));
  if (!set) return corrupted(file.string() + ": " + set.error().message);
  return set;
}

Result<unsigned> read_number(const fs::path& file) {
  const auto line = KTSTR_TRY(read_line(file));
  unsigned number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc{} || end != line.data() + line.size())
    return corrupted(fmt::format("{}: \"{}\" is not a number", file.string(), line));
  return number;
}

/// The first CPU of the group that `file` lists and `cpu` is in.
Result<std::size_t> first_of_group(const fs::path& file, std::size_t cpu) {
  const auto group = KTSTR_TRY(read_set(file));
  if (!group.contains(cpu)) return corrupted(fmt::format("{} does not list CPU {}", file.string(), cpu));
  return group.to_vector().front();
}

/// The list of the CPUs that share the cache of the highest level; nothing where no caches are shown.
Result<std::optional<fs::path>> llc_list(const fs::path& directory) {
  std::optional<fs::path> list;
  unsigned highest = 0;
  for (unsigned index = 0;; ++index) {
    const auto cache = directory / "cache" / fmt::format("index{}", index);
    if (!fs::exists(cache)) return list;
    const auto level = KTSTR_TRY(read_number(cache / "level"));
    if (level < highest) continue;
    highest = level;
    list = cache / "shared_cpu_list";
  }
}

Result<HostCpu> read_cpu(const fs::path& cpus, std::size_t cpu) {
  const auto directory = cpus / fmt::format("cpu{}", cpu);
  const auto package = directory / "topology/package_cpus_list";
  const auto llc = KTSTR_TRY(llc_list(directory)).value_or(package);
  HostCpu found;
  found.cpu = cpu;
  found.core = KTSTR_TRY(first_of_group(directory / "topology/thread_siblings_list", cpu));
  found.llc = KTSTR_TRY(first_of_group(llc, cpu));
  return found;
}

Status read_nodes(const fs::path& nodes, HostTopology& topology) {
  if (!fs::exists(nodes)) return ok();
  const auto online = KTSTR_TRY(read_set(nodes / "online"));
  topology.nodes = online.count();
  for (const auto node : online.to_vector()) {
    const auto members = KTSTR_TRY(read_set(nodes / fmt::format("node{}", node) / "cpulist"));
    for (auto& cpu : topology.cpus)
      if (members.contains(cpu.cpu)) cpu.node = node;
  }
  return ok();
}

}  // namespace

Result<CpuSet> usable_cpus() {
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(CPU_ALLOC(CpuSet::kCapacity),
                                                              [](cpu_set_t* set) { CPU_FREE(set); });
  const auto bytes = CPU_ALLOC_SIZE(CpuSet::kCapacity);
  if (!mask || ::sched_getaffinity(0, bytes, mask.get()) != 0) return system_error("sched_getaffinity");
  CpuSet cpus;
  for (std::size_t cpu = 0; cpu < CpuSet::kCapacity; ++cpu)
    if (CPU_ISSET_S(cpu, bytes, mask.get())) cpus.add(cpu);
  return cpus;
}

Result<HostTopology> read_host_topology(const fs::path& sysfs, const CpuSet& usable) {
  const auto cpus = sysfs / "devices/system/cpu";
  const auto online = KTSTR_TRY(read_set(cpus / "online"));
  HostTopology topology;
  for (const auto cpu : (online & usable).to_vector())
    topology.cpus.push_back(KTSTR_TRY(read_cpu(cpus, cpu)));
  KTSTR_TRY(read_nodes(sysfs / "devices/system/node", topology));
  return topology;
}

}  // namespace ktstr::vmm
