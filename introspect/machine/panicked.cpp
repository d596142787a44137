#include "introspect/machine/panicked.h"

#include <cstdint>

namespace ktstr::introspect {

std::optional<bool> has_panicked(const Kernel& kernel) {
  constexpr std::int32_t kInvalidCpu = -1;  // PANIC_CPU_INVALID, include/linux/panic.h
  const auto place = kernel.address("panic_cpu");
  const auto cpu = place ? kernel.read<std::int32_t>(*place) : std::nullopt;
  return cpu ? std::optional(*cpu != kInvalidCpu) : std::nullopt;
}

}  // namespace ktstr::introspect
