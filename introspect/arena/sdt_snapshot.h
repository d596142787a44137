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

  static consteval auto describe() {
    using T = SdtAllocEntry;
    return record("one allocation", field<&T::idx>("the slot's number in the allocator"),
                  field<&T::genn>("how often the slot was used before"),
                  field<&T::user_addr>("low 32 bits of the slot's arena address"),
                  field<&T::payload>("what the slot holds after its header"));
  }
};

struct SdtAllocatorSnapshot {
  std::string allocator_name;
  std::vector<SdtAllocEntry> entries;
  bool truncated = false;
  std::uint32_t skipped_subtrees = 0;
  std::uint64_t elem_size = 0;
  std::uint32_t target_type_id = 0;
  std::string payload_type_reason;

  static consteval auto describe() {
    using T = SdtAllocatorSnapshot;
    return record("the allocations of one sdt_alloc allocator",
                  field<&T::allocator_name>("its variable in .bss"),
                  field<&T::entries>("allocations in the order of the radix tree"),
                  field<&T::truncated>("whether there are more than were rendered"),
                  field<&T::skipped_subtrees>("parts of the tree that could not be followed"),
                  field<&T::elem_size>("bytes of a slot, header included"),
                  field<&T::target_type_id>("BTF type of the payload; 0: unknown, shown as bytes"),
                  field<&T::payload_type_reason>("why the payload's type is unknown; empty otherwise"));
  }
};

}  // namespace ktstr::introspect
