// Renderer: one render_value() call at work. Internal to this folder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/render/render.h"

struct btf_type;
struct btf_member;

namespace ktstr::introspect {

class Renderer {
 public:
  Renderer(const RenderContext& context, std::size_t max_nodes) : context_(context), max_nodes_(max_nodes) {}

  /// The value of `type` at the start of `bytes`; what follows it is for a flexible array at its end.
  [[nodiscard]] RenderedValue render(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                                     unsigned depth);
  /// The `width` bits of `bytes` from bit `offset`, declared as `type`.
  [[nodiscard]] RenderedValue render_bitfield(const Btf& btf, BtfTypeId type,
                                              std::span<const std::byte> bytes, std::uint64_t offset,
                                              std::uint32_t width);
  [[nodiscard]] std::size_t nodes_taken() const { return std::min(nodes_, max_nodes_); }

 private:
  using Bytes = std::span<const std::byte>;
  /// A struct or datasec under construction.
  struct Aggregate {
    const Btf& btf;
    BtfTypeId id;
    const btf_type& type;
    Bytes bytes;
    unsigned depth;
  };

  // aggregates.cpp
  [[nodiscard]] RenderedValue render_array(const Btf& btf, const btf_type& type, Bytes bytes, unsigned depth);
  [[nodiscard]] RenderedValue render_elements(const Btf& btf, BtfTypeId element, std::uint64_t count,
                                              Bytes bytes, unsigned depth);
  [[nodiscard]] RenderedValue render_struct(const Aggregate& aggregate);
  [[nodiscard]] RenderedValue render_member(const Aggregate& aggregate, std::uint32_t index);
  [[nodiscard]] RenderedValue render_opaque(const Aggregate& aggregate, std::size_t pointers);
  [[nodiscard]] RenderedValue render_datasec(const Aggregate& aggregate);

  // pointers.cpp
  [[nodiscard]] RenderedValue render_pointer(const Btf& btf, const btf_type& type, Bytes bytes,
                                             unsigned depth);
  /// The pointer in a 64-bit integer, if the context knows of one at this place.
  [[nodiscard]] std::optional<RenderedValue> render_inferred(const Aggregate& aggregate, BtfTypeId type,
                                                             std::uint64_t offset);
  [[nodiscard]] RenderedTarget follow_arena(std::uint64_t address, TypeInBtf pointee, unsigned depth);
  [[nodiscard]] RenderedTarget follow_kernel(std::uint64_t address, TypeInBtf pointee, unsigned depth);
  void read_target(std::uint64_t address, TypeInBtf pointee, PointerSpace space, unsigned depth,
                   RenderedTarget& target);
  [[nodiscard]] std::optional<std::string> reason_not_to_follow(std::uint64_t address) const;

  [[nodiscard]] RenderedValue render_int(const Btf& btf, const btf_type& type, Bytes bytes);
  [[nodiscard]] RenderedValue render_enum(const Btf& btf, const btf_type& type, Bytes bytes);
  /// Counts a node; false when the limit is reached.
  [[nodiscard]] bool take_node() { return ++nodes_ <= max_nodes_; }
  /// Counts text of `bytes` bytes: what a program names, or a type claims, is not free of the limit.
  void charge(std::size_t bytes) { nodes_ += bytes / kBytesPerNode; }
  static constexpr std::size_t kBytesPerNode = 64;
  [[nodiscard]] bool exhausted() const { return nodes_ >= max_nodes_; }

  const RenderContext& context_;
  const std::size_t max_nodes_;
  std::size_t nodes_ = 0;
  std::vector<std::uint64_t> path_;   ///< addresses being followed, outermost first
  std::vector<std::uint64_t> shown_;  ///< addresses followed and done
};

/// `needed` bytes of which only `bytes` were there, without structure.
[[nodiscard]] RenderedValue truncated(std::uint64_t needed, std::span<const std::byte> bytes);
/// The same, around what could be made of them.
[[nodiscard]] RenderedValue truncated(std::uint64_t needed, std::uint64_t had, RenderedValue partial);
[[nodiscard]] RenderedValue unsupported(std::string reason);

}  // namespace ktstr::introspect
