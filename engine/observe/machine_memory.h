// A machine's RAM and registers in the form that introspect reads.
#pragma once

#include <vector>

#include "introspect/kernel_image.h"
#include "introspect/span_memory.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// The machine's RAM, shared with the running guest. Valid as long as the machine lives.
[[nodiscard]] introspect::SpanMemory machine_memory(const vmm::Machine& machine);
/// The same, to be changed.
[[nodiscard]] introspect::WritableSpans writable_memory(const vmm::Machine& machine);

/// The registers that help to find the kernel, of each vCPU that stopped.
[[nodiscard]] std::vector<introspect::CpuContext> cpu_contexts(const vmm::FrozenState& frozen);

}  // namespace ktstr::engine
