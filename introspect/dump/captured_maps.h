// CapturedMaps: the BPF maps of one dump as raw bytes, and all that showing them by their types will take.
#pragma once

#include <optional>
#include <vector>

#include "introspect/arena/arena_snapshot.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/bpf/read_map.h"
#include "introspect/dump/captured_pointers.h"
#include "introspect/dump/render_map.h"
#include "introspect/dump/report.h"

namespace ktstr::introspect {

/// What maps are read with, while the guest stands still.
struct MapSource {
  const Kernel& kernel;  ///< of_still_guest()
  const BpfLayouts& layouts;
  const MapReadLimits& limits;
  ReadBudget& budget;  ///< of everything together
  ProgramBtfCache btfs{kernel, layouts, &budget};
};

class CapturedMaps {
 public:
  /// `kernel`, whose symbols are shown, must outlive it; its memory and the budget, capture().
  CapturedMaps(const Kernel& kernel, CapturedPointers::Resolution resolution, ReadBudget& budget)
      : pointers_(kernel, std::move(resolution), budget) {}

  /// Reads the scheduler's arena and `maps`, as long as the source's budget allows, and follows pointers.
  /// Once. `report` names the active object, whose arena and .bss are preferred to others', and gets what is
  /// missing.
  void capture(MapSource& source, const std::vector<BpfMapInfo>& maps, FailureDumpReport& report);

  /// Everything by its type, into the report. Reads no guest. Once: contents go as they are shown.
  void render(FailureDumpReport& report);

 private:
  void capture_arena(MapSource& source, const std::vector<BpfMapInfo>& maps, FailureDumpReport& report);
  void follow(MapSource& source, const CapturedMap& map);

  CapturedPointers pointers_;
  std::vector<CapturedMap> maps_;
};

}  // namespace ktstr::introspect
