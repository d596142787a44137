// ArenaSlotIndex: from an arena address to the allocation that it points into.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

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

/// Keyed by the low 32 bits of addresses, so only for arenas whose window is aligned to 4 GB.
class ArenaSlotIndex {
 public:
  /// Adds an allocator's slots. A slot that is known already keeps what it was.
  void add(const SdtSlotKind& kind, const std::vector<std::uint64_t>& addresses);

  /// The payload of the slot that `address` is the start of, or the payload's start of; nullopt for any other
  /// address, in the middle of a slot too.
  [[nodiscard]] std::optional<ArenaObject> find(std::uint64_t address) const;

  [[nodiscard]] std::size_t size() const { return slots_.size(); }

 private:
  std::vector<SdtSlotKind> kinds_;
  std::map<std::uint32_t, std::size_t> slots_;  ///< start -> index in kinds_
};

}  // namespace ktstr::introspect
