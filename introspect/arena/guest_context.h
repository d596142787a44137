// GuestContext: a RenderContext that answers from a guest kernel and a scheduler's arena.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "introspect/arena/arena_window.h"
#include "introspect/arena/scx_static.h"
#include "introspect/arena/sdt_alloc.h"
#include "introspect/kernel.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// What is known of a guest; each part may be missing. All that is pointed to outlives the context.
struct GuestContextParts {
  const Kernel* kernel = nullptr;                          ///< symbols
  const Translator* memory = nullptr;                      ///< following kernel pointers
  const ArenaReader* arena = nullptr;                      ///< following arena pointers
  const ArenaSlotIndex* slots = nullptr;                   ///< types of allocations
  const std::set<ArenaPlace>* rendered = nullptr;          ///< allocations that are shown elsewhere
  const ScxStaticSnapshot* scx_static = nullptr;           ///< memory whose types can't be told
  std::vector<std::shared_ptr<const Btf>> sibling_btfs{};  ///< other objects of the same scheduler
};

class GuestContext : public RenderContext {
 public:
  explicit GuestContext(GuestContextParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::optional<std::string> symbolize(std::uint64_t address) const override;
  [[nodiscard]] bool is_arena_address(std::uint64_t address) const override;
  [[nodiscard]] bool read_arena(std::uint64_t address, std::span<std::byte> out) const override;
  [[nodiscard]] bool read_kernel(std::uint64_t address, std::span<std::byte> out) const override;
  [[nodiscard]] std::optional<ArenaObject> arena_object(std::uint64_t address, const Btf& btf) const override;
  /// The same; its answers do not depend on who asks.
  [[nodiscard]] std::optional<ArenaObject> object_at(std::uint64_t address) const;
  [[nodiscard]] bool is_already_rendered(std::uint64_t address) const override;
  /// The asker's own BTF (and the kernel's below it) first, then the siblings in their order.
  [[nodiscard]] std::optional<TypeInBtf> find_definition(const Btf& btf, std::string_view name,
                                                         bool is_union) const override;
  [[nodiscard]] std::size_t nr_cpu_ids() const override;

 private:
  /// Where in the arena, if all of the address lies there: the only way to whatever is known by its place.
  [[nodiscard]] std::optional<ArenaPlace> place_of(std::uint64_t address) const;

  GuestContextParts parts_;
};

}  // namespace ktstr::introspect
