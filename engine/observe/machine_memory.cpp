#include "engine/observe/machine_memory.h"

namespace ktstr::engine {

introspect::SpanMemory machine_memory(const vmm::Machine& machine) {
  std::vector<introspect::MemorySpan> spans;
  for (const auto& region : machine.memory()) spans.push_back({region.base, region.bytes});
  return introspect::SpanMemory(std::move(spans));
}

introspect::WritableSpans writable_memory(const vmm::Machine& machine) {
  std::vector<introspect::WritableSpan> spans;
  for (const auto& region : machine.memory()) spans.push_back({region.base, region.bytes});
  return introspect::WritableSpans(std::move(spans));
}

std::vector<introspect::CpuContext> cpu_contexts(const vmm::FrozenState& frozen) {
  std::vector<introspect::CpuContext> contexts;
  for (const auto& vcpu : frozen.vcpus)
    if (vcpu)
      contexts.push_back({.cr3 = vcpu->cr3,
                          .cr4 = vcpu->cr4,
                          .efer = vcpu->efer,
                          .rip = vcpu->rip,
                          .gs_base = vcpu->gs_base,
                          .idt_base = vcpu->idt_base,
                          .lstar = vcpu->lstar});
  return contexts;
}

}  // namespace ktstr::engine
