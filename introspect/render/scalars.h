// The leaves of a value: integers, floats, enums, bitfields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "introspect/btf.h"
#include "introspect/render/rendered_value.h"

struct btf_type;

namespace ktstr::introspect {

/// The `width` bits (at most 64) from bit `offset` of little-endian `bytes`, zero-extended; nullopt when they
/// are not all there.
[[nodiscard]] std::optional<std::uint64_t> read_bits(std::span<const std::byte> bytes, std::uint64_t offset,
                                                     std::uint32_t width);

/// The lowest `width` bits (1 to 64) of `bits` as a two's complement number.
[[nodiscard]] std::int64_t sign_extend(std::uint64_t bits, std::uint32_t width);

/// The value of the INT `type` made of `width` bits (at most 64), zero-extended in `bits`.
[[nodiscard]] RenderedValue render_int_bits(const Btf& btf, const btf_type& type, std::uint64_t bits,
                                            std::uint32_t width);

/// An INT of more than 64 bits: a number where it fits one, else its bytes. `bytes` are exactly the type's.
[[nodiscard]] RenderedValue render_wide_int(const btf_type& type, std::span<const std::byte> bytes);

/// A FLOAT of 2, 4 or 8 bytes; others (x87) as bytes. `bytes` are exactly the type's.
[[nodiscard]] RenderedValue render_float(std::span<const std::byte> bytes);

/// The value of an ENUM or ENUM64 made of `width` bits (at most 64), zero-extended in `bits`. The name is the
/// first enumerator of that value; in an enum of flags also a sum: "A|B".
[[nodiscard]] RenderedValue render_enum_bits(const Btf& btf, const btf_type& type, std::uint64_t bits,
                                             std::uint32_t width);

/// Whether an INT is a character: so encoded, or called "char" (compilers leave the encoding out).
[[nodiscard]] bool is_char_type(const Btf& btf, const btf_type& type);

}  // namespace ktstr::introspect
