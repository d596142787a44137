#include "introspect/machine/failure.h"

namespace ktstr::introspect {

std::optional<std::uint32_t> oops_count(const Kernel& kernel) {
  const auto counter = kernel.known_address("die_counter");
  return counter ? kernel.read<std::uint32_t>(*counter) : std::nullopt;
}

std::optional<bool> has_panicked(const Kernel& kernel) {
  constexpr std::int32_t kInvalidCpu = -1;  // PANIC_CPU_INVALID, include/linux/panic.h
  const auto place = kernel.known_address("panic_cpu");
  const auto cpu = place ? kernel.read<std::int32_t>(*place) : std::nullopt;
  return cpu ? std::optional(*cpu != kInvalidCpu) : std::nullopt;
}

}  // namespace ktstr::introspect
