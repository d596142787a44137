#include "introspect/machine/oops_count.h"

namespace ktstr::introspect {

std::optional<std::uint32_t> oops_count(const Kernel& kernel) {
  const auto counter = kernel.address("die_counter");
  return counter ? kernel.read<std::uint32_t>(*counter) : std::nullopt;
}

}  // namespace ktstr::introspect
