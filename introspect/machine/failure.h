// Whether the kernel has failed: how often it has oopsed, and whether it has panicked.
#pragma once

#include <cstdint>
#include <optional>

#include "introspect/kernel.h"

namespace ktstr::introspect {

/// die_counter (arch/x86/kernel/dumpstack.c): oopses since boot, whatever the console says. No program of the
/// guest can write it. nullopt when it can't be read.
[[nodiscard]] std::optional<std::uint32_t> oops_count(const Kernel& kernel);

/// By panic_cpu (kernel/panic.c): the CPU that panics puts its number there and never takes it back. No
/// program of the guest can write it. nullopt when it can't be read.
[[nodiscard]] std::optional<bool> has_panicked(const Kernel& kernel);

}  // namespace ktstr::introspect
