#include "bpf/scx_ktstr/cpu_llcs.h"

#include <fstream>
#include <map>
#include <string>

namespace ktstr::bpf {
namespace {

/// The list of CPUs that share the cache: the same text for all of them.
std::string sharers_of(const std::filesystem::path& cpu) {
  std::ifstream file(cpu / "cache/index3/shared_cpu_list");
  std::string list;
  std::getline(file, list);
  return list;
}

}  // namespace

CpuLlcs read_cpu_llcs(const std::filesystem::path& cpus) {
  CpuLlcs llcs;
  std::map<std::string, std::uint32_t> numbers;
  for (std::uint32_t cpu = 0;; ++cpu) {
    const auto directory = cpus / ("cpu" + std::to_string(cpu));
    if (!std::filesystem::exists(directory)) break;
    const std::string sharers = sharers_of(directory);
    if (sharers.empty()) {
      llcs.of_cpu.push_back(0);
      continue;
    }
    const auto number = numbers.emplace(sharers, static_cast<std::uint32_t>(numbers.size())).first->second;
    llcs.of_cpu.push_back(number);
  }
  if (!numbers.empty()) llcs.count = static_cast<std::uint32_t>(numbers.size());
  return llcs;
}

}  // namespace ktstr::bpf
