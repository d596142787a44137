#include "introspect/ctprof/affinity.h"

#include <sched.h>

#include <array>
#include <climits>

#include "engine/base/cpu_set.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr std::size_t kWordBits = sizeof(unsigned long) * CHAR_BIT;
using Mask = std::array<unsigned long, CpuSet::kCapacity / kWordBits>;

bool contains(const Mask& mask, std::size_t cpu) {
  return cpu < CpuSet::kCapacity && (mask[cpu / kWordBits] >> (cpu % kWordBits) & 1) != 0;
}

/// "0-3,8", without a set on the way: there is one for every thread.
std::string to_list(const Mask& mask, std::size_t cpus) {
  std::string list;
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    if (!contains(mask, cpu)) continue;
    const auto first = cpu;
    while (contains(mask, cpu + 1)) ++cpu;
    if (!list.empty()) list += ',';
    list += std::to_string(first);
    if (cpu > first) list.append("-").append(std::to_string(cpu));
  }
  return list;
}

}  // namespace

std::optional<CpuAffinity> read_affinity(std::int32_t tid) {
  Mask mask{};
  if (::sched_getaffinity(tid, sizeof(mask), reinterpret_cast<cpu_set_t*>(mask.data())) != 0)
    return std::nullopt;
  std::size_t used = mask.size();
  while (used > 0 && mask[used - 1] == 0) --used;
  return CpuAffinity{to_list(mask, used * kWordBits)};
}

}  // namespace ktstr::introspect::ctprof
