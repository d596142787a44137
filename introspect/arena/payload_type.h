// Which struct an sdt_alloc allocator's slots hold: the allocator itself does not say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "introspect/btf.h"

namespace ktstr::introspect {

struct PayloadType {
  BtfTypeId type{};    ///< 0: none was found or several fit
  std::string reason;  ///< why there is none: "no candidate of size 16"; "" otherwise
};

/// The named struct of the program (not of the kernel that it is split over) that has exactly
/// `payload_bytes`. Of several, the only one called as the allocator ("scx_task_allocator": scx_task, then
/// task), or else the only one called task_ctx, *_arena_ctx, *_task_ctx, *_ctx, tried in this order. Rather
/// none than a guess.
[[nodiscard]] PayloadType find_payload_type(const Btf& btf, std::uint64_t payload_bytes,
                                            std::string_view allocator_name);

}  // namespace ktstr::introspect
