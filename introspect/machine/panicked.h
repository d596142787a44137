// Whether the kernel has panicked.
#pragma once

#include <optional>

#include "introspect/kernel.h"

namespace ktstr::introspect {

/// By panic_cpu (kernel/panic.c): the CPU that panics puts its number there and never takes it back. No
/// program of the guest can write it. nullopt when it can't be read.
[[nodiscard]] std::optional<bool> has_panicked(const Kernel& kernel);

}  // namespace ktstr::introspect
