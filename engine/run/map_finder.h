// MapFinder: the BPF maps of a running guest, by name or id.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "introspect/bpf/active_object.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/kernel.h"
#include "introspect/scx/exit_reader.h"

namespace ktstr::engine {

/// Looks anew at each call: maps come and go with schedulers. The kernel must outlive it. Errors of every
/// call besides its own: kNotFound, kUnavailable, this kernel's maps can't be found; kCorrupt, the list of
/// maps can't be read whole.
class MapFinder {
 public:
  explicit MapFinder(const introspect::Kernel& kernel)
      : kernel_(kernel),
        layouts_(introspect::BpfLayouts::resolve(kernel.btf())),
        exits_(introspect::ScxExitReader::create(kernel)) {}

  /// The map that `name` stands for (introspect/bpf/map_names.h); of several the running scheduler's.
  /// kNotFound: none; kInvalidArgument: several, and the running scheduler does not tell which.
  [[nodiscard]] Result<introspect::BpfMapInfo> by_name(std::string_view name) const;
  /// kNotFound: there is no such map any more.
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

}  // namespace ktstr::engine
