// MapRendering: the maps of one dump: their BTF, the scheduler's arena and what is allocated in it, and each
// map's values.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "introspect/arena/guest_context.h"
#include "introspect/arena/sdt_alloc.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/dump/dump_clock.h"
#include "introspect/dump/dump_state.h"
#include "introspect/dump/render_map.h"

namespace ktstr::introspect {

class MapRendering {
 public:
  /// All must outlive it. `report` names the active object, whose arena and .bss are preferred to others'.
  MapRendering(const DumpContext& context, const BpfLayouts& layouts, const std::vector<BpfMapInfo>& maps,
               FailureDumpReport& report);

  /// Finds the arena and reads what allocators keep in it, into the report. Before render().
  void read_arena(DumpClock& clock);
  [[nodiscard]] FailureDumpMap render(const BpfMapInfo& map) const;

 private:
  /// The guest, and the caller's pointer resolution over it.
  struct Pointers {
    Pointers(const DumpContext& dump, GuestContextParts parts);
    [[nodiscard]] const RenderContext& context() const {
      return resolution ? *resolution : static_cast<const RenderContext&>(guest);
    }
    GuestContext guest;
    std::unique_ptr<RenderContext> resolution;  ///< null: `guest` alone
  };

  [[nodiscard]] bool is_active(const BpfMapInfo& map) const;
  /// The first map of the active object that fits, else the first that fits.
  template <class Fits>
  [[nodiscard]] const BpfMapInfo* find_map(Fits fits) const;
  [[nodiscard]] Result<ArenaReader> reader_of(const BpfMapInfo& arena) const;
  [[nodiscard]] Result<ArenaSnapshot> snapshot(const BpfMapInfo& arena) const;
  [[nodiscard]] ProgramSection read_bss(std::vector<std::byte>& bytes);
  void read_allocators(const ArenaReader* arena);
  /// What the first arena pointer among the members of `value` leads to, if an allocator tells its type.
  [[nodiscard]] std::optional<RenderedValue> payload(const RenderedValue& value) const;

  const DumpContext& context_;
  const BpfLayouts& layouts_;
  const std::vector<BpfMapInfo>& maps_;
  FailureDumpReport& report_;
  mutable ProgramBtfCache btfs_;
  mutable std::size_t nodes_left_ = kMaxDumpNodes;
  std::optional<ArenaReader> arena_;
  SdtAllocations allocations_;
  std::unique_ptr<Pointers> pointers_;
};

}  // namespace ktstr::introspect
