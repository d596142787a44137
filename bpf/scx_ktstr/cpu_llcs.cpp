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
    const auto next = static_cast<std::uint32_t>(numbers.size());
    llcs.of_cpu.push_back(sharers.empty() ? 0 : numbers.emplace(sharers, next).first->second);
  }
  if (!numbers.empty()) llcs.count = static_cast<std::uint32_t>(numbers.size());
  return llcs;
}

}  // namespace ktstr::bpf
