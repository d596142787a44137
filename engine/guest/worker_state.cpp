#include "engine/guest/worker_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {
namespace {

constexpr char kSelf[] = "/proc/self/schedstat";

/// The next number of [at, end); `at` stands behind it then. False where there is none.
bool take_number(const char*& at, const char* end, std::uint64_t& number) {
  while (at < end && *at == ' ') ++at;
  const auto [next, error] = std::from_chars(at, end, number);
  at = next;
  return error == std::errc();
}

Fd open_schedstat(pid_t pid) {
  if (pid == 0) return Fd(::open(kSelf, O_RDONLY | O_CLOEXEC));
  char path[sizeof kSelf + 16] = "/proc/";
  auto* at = std::to_chars(path + std::strlen(path), path + sizeof path, pid).ptr;
  std::strcpy(at, "/schedstat");
  return Fd(::open(path, O_RDONLY | O_CLOEXEC));
}

}  // namespace

std::optional<Schedstat> read_schedstat(pid_t pid) {
  const auto file = open_schedstat(pid);
  char text[128];
  const auto size = file ? ::read(file.get(), text, sizeof text) : -1;
  if (size <= 0) return std::nullopt;
  Schedstat stat{};
  const char* at = text;
  for (auto* number : {&stat.cpu_time_ns, &stat.run_delay_ns, &stat.run_count})
    if (!take_number(at, text + size, *number)) return std::nullopt;
  if (stat.run_count == 0) return std::nullopt;
  return stat;
}

CpuSet to_set(const CpuBits& bits) {
  CpuSet set;
  for (std::size_t cpu = 0; cpu < CpuSet::kCapacity; ++cpu)
    if (has_cpu(bits, cpu)) set.add(cpu);
  return set;
}

void set_allowed(WorkerState& state, const std::optional<CpuSet>& cpus) {
  const auto placement = state.placement.load(std::memory_order_relaxed);
  const auto changing = placement % 2 == 0 ? placement + 1 : placement;
  state.placement.store(changing, std::memory_order_seq_cst);
  if (!cpus) return;
  for (auto& word : state.allowed) word = 0;
  for (const auto cpu : cpus->to_vector()) add_cpu(state.allowed, cpu);
  state.placement.store(changing + 1, std::memory_order_seq_cst);
}

}  // namespace ktstr::engine::guest
