// render_value: bytes of guest memory and their BTF type in, a RenderedValue out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "introspect/btf.h"
#include "introspect/render/render_context.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::introspect {

/// Elements of an array that are shown; `len` tells how many there are.
inline constexpr std::size_t kMaxRenderedElements = 4096;
/// Structs, arrays and followed pointers within each other.
inline constexpr unsigned kMaxRenderDepth = 32;
/// Nodes of one render_value() call, followed pointers included.
inline constexpr std::size_t kMaxRenderedNodes = std::size_t{1} << 16;
/// Bytes read behind one pointer.
inline constexpr std::size_t kMaxPointeeBytes = 4096;

/// Renders `bytes` as a `type` of `btf`. Total: a damaged or unknown type gives RenderedUnsupported, missing
/// bytes give RenderedTruncated around what was there, a limit gives RenderedUnsupported with its name. Bytes
/// beyond the type's size are ignored, except by a flexible array at its end, which takes them. Thread-safe
/// where `context` is.
[[nodiscard]] RenderedValue render_value(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                                         const RenderContext& context = RenderContext());
/// The same for one value of many: it takes its nodes from those that are left for all of them, and finds
/// none beyond.
[[nodiscard]] RenderedValue render_value(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                                         const RenderContext& context, std::size_t& nodes_left);

/// Renders the bitfield of `width` bits that begins at bit `offset` of `bytes` and is declared as `type`.
/// Total likewise.
[[nodiscard]] RenderedValue render_bits(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                                        std::uint64_t offset, std::uint32_t width);

}  // namespace ktstr::introspect
