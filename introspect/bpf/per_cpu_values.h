// One value for each CPU, behind a per-CPU pointer.
#pragma once

#include <cstdint>
#include <optional>

#include "introspect/bpf/contents.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

class PerCpuValues {
 public:
  explicit PerCpuValues(const Kernel& kernel) : kernel_(kernel) {}

  /// Slots of an entry: nr_cpu_ids. Those of CPUs that are not possible stay absent.
  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(kernel_.nr_cpu_ids()); }

  /// Fills the values of entry `entry`; what can't be read is marked as absent and counted. nullopt: the
  /// pointer itself was unreadable.
  void read(std::optional<KernelVirt> pointer, std::size_t entry, ValueContents& contents) const;

 private:
  const Kernel& kernel_;
};

}  // namespace ktstr::introspect
