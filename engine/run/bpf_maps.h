// BpfMaps: what ops do to a guest's BPF maps: variables are written and read from outside, maps kept alive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/run_report.h"
#include "engine/run/guest.h"
#include "engine/scenario/scenario.h"
#include "introspect/bpf/active_object.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/write_map.h"
#include "introspect/kernel.h"
#include "introspect/scx/exit_reader.h"
#include "introspect/span_memory.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// The BPF maps of a running guest, by name or id. Looks anew at each call: maps come and go with schedulers.
/// The kernel must outlive it. Errors of every call besides its own: kNotFound, kUnavailable, this kernel's
/// maps can't be found; kCorrupt, the list of maps can't be read whole.
class MapFinder {
 public:
  explicit MapFinder(const introspect::Kernel& kernel)
      : kernel_(kernel),
        layouts_(introspect::BpfLayouts::resolve(kernel.btf())),
        exits_(introspect::ScxExitReader::create(kernel)) {}

  /// The map that `name` stands for (introspect/bpf/map_names.h); of several the running scheduler's.
  /// kNotFound: none; kInvalidArgument: several, and the running scheduler does not tell which.
  [[nodiscard]] Result<introspect::BpfMapInfo> by_name(std::string_view name) const;
  /// kNotFound: the map no longer exists.
  [[nodiscard]] Result<introspect::BpfMapInfo> by_id(std::uint32_t id) const;
  /// Whether the map that was found is there still: ids never come back, and a freed map has none.
  /// kUnavailable: it is gone.
  [[nodiscard]] Status check_alive(const introspect::BpfMapInfo& map) const;

  /// Precondition: a map was found.
  [[nodiscard]] const introspect::BpfLayouts& layouts() const { return *layouts_; }

 private:
  [[nodiscard]] Result<std::vector<introspect::BpfMapInfo>> list() const;
  [[nodiscard]] std::optional<introspect::ActiveObject> running_object(
      const std::vector<introspect::BpfMapInfo>& maps) const;

  const introspect::Kernel& kernel_;
  Result<introspect::BpfLayouts> layouts_;
  Result<introspect::ScxExitReader> exits_;
};

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
