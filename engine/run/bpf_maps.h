// BpfMaps: what ops do to a guest's BPF maps: variables are written and read from outside, maps kept alive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/report/map_reading.h"
#include "engine/run/guest.h"
#include "engine/run/map_finder.h"
#include "engine/scenario/scenario.h"
#include "introspect/bpf/write_map.h"
#include "introspect/span_memory.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// What one access of a CPU can hold is written and read while the guest runs; for a bitfield that is written
/// and for anything larger the guest is stopped. Errors: those of MapFinder, of introspect/bpf/write_map.h
/// and of stopping the guest; what can't be read is an error too.
class BpfMaps {
 public:
  /// All must outlive it. `readings` grows.
  BpfMaps(vmm::Machine& machine, const introspect::Kernel& kernel, Guest& guest,
          std::vector<MapReading>& readings);

  /// Preconditions: the scenario was checked. `step`: from 1.
  [[nodiscard]] Status apply(std::size_t step, const WriteBpfMapOp& op);
  [[nodiscard]] Status apply(std::size_t step, const ReadBpfMapOp& op);
  /// A name stands for one map to the end: kInvalidArgument when it is given to another.
  [[nodiscard]] Status apply(std::size_t step, const PinBpfMapOp& op);

 private:
  /// A variable that was found.
  struct Variable {
    introspect::BpfMapInfo map;
    std::shared_ptr<const introspect::Btf> btf;
    introspect::GlobalPlace place;
  };
  [[nodiscard]] Result<introspect::BpfMapInfo> find_map(const std::string& name) const;
  [[nodiscard]] Result<Variable> find_variable(const std::string& map, const std::string& path) const;
  [[nodiscard]] Result<introspect::RenderedValue> read(const Variable& variable) const;
  /// Runs `access` if the map is there still, and fails if it is not any more afterwards.
  [[nodiscard]] Status access(const Variable& variable, bool stopped,
                              const std::function<Status()>& access) const;
  [[nodiscard]] Status while_stopped(const std::function<Status()>& act) const;

  vmm::Machine& machine_;
  const introspect::Kernel& kernel_;
  Guest& guest_;
  std::vector<MapReading>& readings_;
  MapFinder finder_;
  introspect::WritableSpans memory_;
  std::map<std::string, std::uint32_t> names_;  ///< ids by the names that pins gave
  std::set<std::uint32_t> pinned_;
};

}  // namespace ktstr::engine
