// What every reader of a map's contents is given, and the checks they share.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "introspect/bpf/contents.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

struct ReadContext {
  const Kernel& kernel;
  const BpfLayouts& layouts;
  const BpfMapInfo& map;
  MapReadLimits limits{};

  [[nodiscard]] bool plausible(KernelVirt address) const { return kernel.plausible_pointer(address); }
};

/// BPF pads keys and values to 8 bytes.
constexpr std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + 7) & ~std::uint64_t{7};
}

/// The kernel's number of buckets for a table of `max_entries`.
constexpr std::uint64_t bucket_count_for(std::uint32_t max_entries) {
  return std::bit_ceil(std::uint64_t{max_entries});
}

inline Error map_unreadable(std::string_view what) {
  return {ErrorCode::kOutOfRange, std::string(what) + " can't be read"};
}

/// Refuses a map of which one entry alone would be more than the cap on a whole map.
[[nodiscard]] Status check_entry_size(const ReadContext& context, std::uint64_t slots = 1);

/// Where the elements begin. `element_bytes`: what one element takes, padding included. Errors: kOutOfRange,
/// unreadable; kCorrupt, element size or index mask (which the kernel derives from max_entries) say
/// otherwise.
[[nodiscard]] Result<KernelVirt> array_elements(const Kernel& kernel, const BpfLayouts& layouts,
                                                const BpfMapInfo& map, std::uint64_t element_bytes);

/// One value for each CPU, behind a per-CPU pointer.
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
