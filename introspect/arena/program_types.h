// What a scheduler's own BTF tells: the variables of a structure in a section, and which struct an sdt_alloc
// allocator's slots hold, which the allocator itself does not say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/btf.h"

namespace ktstr::introspect {

struct SectionVariable {
  std::string name;
  BtfTypeId type{};  ///< the struct itself
  std::span<const std::byte> bytes;
};

/// The variables of `section` that are a `struct struct_name` and lie wholly within `bytes`.
[[nodiscard]] std::vector<SectionVariable> variables_of(const Btf& btf, BtfTypeId section,
                                                        std::span<const std::byte> bytes,
                                                        std::string_view struct_name);

/// The 64-bit member of a struct variable; nullopt when there is no such member of 8 bytes.
[[nodiscard]] std::optional<std::uint64_t> u64_member(const Btf& btf, const SectionVariable& variable,
                                                      std::string_view path);

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

/// `text` without `suffix` at its end, if it is there.
[[nodiscard]] inline std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

}  // namespace ktstr::introspect
