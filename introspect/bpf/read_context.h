// What every reader of a map's contents is given, and the checks they share.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_info.h"
#include "introspect/bpf/read_limits.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

struct ReadContext {
  const Kernel& kernel;
  const BpfLayouts& layouts;
  const BpfMapInfo& map;
  const MapReadLimits& limits;

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
inline Error map_corrupt(std::string message) {
  return {ErrorCode::kCorrupt, std::move(message)};
}

/// Refuses a map of which one entry alone would be more than the cap on a whole map.
[[nodiscard]] inline Status check_entry_size(const ReadContext& context, std::uint64_t slots = 1) {
  const std::uint64_t bytes = context.map.key_size + slots * padded(context.map.value_size);
  if (bytes <= context.limits.bytes) return ok();
  return Error{ErrorCode::kUnavailable, "one entry has " + std::to_string(bytes) +
                                            " bytes, more than the cap of " +
                                            std::to_string(context.limits.bytes)};
}

}  // namespace ktstr::introspect
