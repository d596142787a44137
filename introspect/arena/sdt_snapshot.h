// What the walk of an sdt_alloc allocator yields.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/render/rendered_value_json.h"

namespace ktstr::introspect {

struct SdtAllocEntry {
  std::int32_t idx = 0;
  std::int32_t genn = 0;
  std::uint64_t user_addr = 0;
  RenderedValue payload;
};

struct SdtAllocatorSnapshot {
  std::string allocator_name;
  std::vector<SdtAllocEntry> entries;
  bool truncated = false;
  std::uint32_t skipped_subtrees = 0;
  std::uint64_t elem_size = 0;
  std::uint32_t target_type_id = 0;
  std::string payload_type_reason;
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::SdtAllocEntry> = [] {
  using T = introspect::SdtAllocEntry;
  return record<T>("SdtAllocEntry", "one allocation",
                   field("idx", &T::idx, "the slot's number in the allocator"),
                   field("genn", &T::genn, "how often the slot was used before"),
                   field("user_addr", &T::user_addr, "low 32 bits of the slot's arena address"),
                   field("payload", &T::payload, "what the slot holds after its header"));
}();
template <>
inline constexpr auto describe<introspect::SdtAllocatorSnapshot> = [] {
  using T = introspect::SdtAllocatorSnapshot;
  return record<T>(
      "SdtAllocatorSnapshot", "the allocations of one sdt_alloc allocator",
      field("allocator_name", &T::allocator_name, "its variable in .bss"),
      field("entries", &T::entries, "allocations in the order of the radix tree"),
      field("truncated", &T::truncated, "whether there are more than were rendered"),
      field("skipped_subtrees", &T::skipped_subtrees, "parts of the tree that could not be followed"),
      field("elem_size", &T::elem_size, "bytes of a slot, header included"),
      field("target_type_id", &T::target_type_id, "BTF type of the payload; 0: unknown, shown as bytes"),
      field("payload_type_reason", &T::payload_type_reason,
            "why the payload's type is unknown; empty otherwise"));
}();
}  // namespace ktstr
