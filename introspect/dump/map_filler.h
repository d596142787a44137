// MapFiller: from the raw contents of one map to its FailureDumpMap, one function for each family.
#pragma once

#include <span>
#include <string_view>

#include "introspect/bpf/contents.h"
#include "introspect/dump/render_map.h"

namespace ktstr::introspect {

/// Adds a sentence to dump.error; nothing when it is empty.
void add_error(FailureDumpMap& dump, std::string_view sentence);

class MapFiller {
 public:
  MapFiller(const MapRenderer& renderer, const BpfMapInfo& map, const MapTypes& types, FailureDumpMap& dump)
      : renderer_(renderer), map_(map), types_(types), dump_(dump) {}

  void fill(const ValueContents& contents);
  void fill(const LocalStorageContents& contents);
  void fill(const RingbufContents& contents);
  void fill(const StackTraceContents& contents);
  void fill(const FdArrayContents& contents);
  void fill(const BloomContents& contents);
  void fill(const StructOpsContents& contents);
  void fill(const ArenaContents& contents);

 private:
  using Bytes = std::span<const std::byte>;

  void fill_array(const MapEntries& entries);
  void fill_percpu_array(const MapEntries& entries);
  void fill_percpu_hash(const MapEntries& entries);
  void fill_hash(const MapEntries& entries);
  void note(const ReadMarks& marks);
  /// By its type; nullopt without one.
  [[nodiscard]] std::optional<RenderedValue> typed(BtfTypeId type, Bytes bytes) const;
  /// By its type; as bytes without one. nullopt: not readable.
  [[nodiscard]] std::optional<RenderedValue> value_or_bytes(std::optional<Bytes> bytes) const;
  [[nodiscard]] std::vector<std::optional<RenderedValue>> per_cpu(const MapEntries& entries,
                                                                  std::size_t entry) const;
  void set_value(FailureDumpEntry& entry, std::optional<Bytes> bytes) const;

  const MapRenderer& renderer_;
  const BpfMapInfo& map_;
  const MapTypes& types_;
  FailureDumpMap& dump_;
};

}  // namespace ktstr::introspect
