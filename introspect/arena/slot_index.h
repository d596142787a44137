// ArenaSlotIndex: from a place in an arena to the allocation that it points into.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "introspect/arena/arena_window.h"
#include "introspect/btf.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// What all slots of one allocator have in common.
struct SdtSlotKind {
  std::shared_ptr<const Btf> btf;  ///< the program's; `payload` is a number in it
  BtfTypeId payload{};
  std::uint64_t elem_size = 0;
  std::uint64_t header_bytes = 0;
};

/// Of one arena, by ArenaWindow::place_of(): an address is looked up only when all of it lies in the arena.
class ArenaSlotIndex {
 public:
  /// Adds an allocator's slots. A slot that is known already keeps what it was.
  void add(const SdtSlotKind& kind, std::span<const ArenaPlace> places);

  /// The payload of the slot that begins at `place`, or whose payload does; nullopt for any other place, in
  /// the middle of a slot too.
  [[nodiscard]] std::optional<ArenaObject> find(ArenaPlace place) const;

  [[nodiscard]] std::size_t size() const { return slots_.size(); }

 private:
  std::vector<SdtSlotKind> kinds_;
  std::map<ArenaPlace, std::size_t> slots_;  ///< start -> index in kinds_
};

}  // namespace ktstr::introspect
