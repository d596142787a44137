#include "introspect/dump/render_map.h"

#include <fmt/format.h>

#include "introspect/bpf/map_list.h"
#include "introspect/render/render.h"

namespace ktstr::introspect {
namespace {

/// struct task_struct or cgroup, as far as a reader of the dump wants to know it.
RenderedValue render_owner(const StorageOwner& owner) {
  RenderedStruct value;
  const auto add = [&](std::string name, RenderedValue::Data data) {
    value.members.push_back({std::move(name), {std::move(data)}});
  };
  const auto text = owner.name + '\0';
  if (owner.pid) {
    value.type_name = "task_struct";
    add("pid", RenderedInt{32, *owner.pid});
    if (owner.tgid) add("tgid", RenderedInt{32, *owner.tgid});
    add("comm", RenderedText{text.size(), text});
  } else if (owner.cgroup_id) {
    value.type_name = "cgroup";
    add("id", RenderedUint{64, *owner.cgroup_id});
    add("name", RenderedText{text.size(), text});
  }
  add("address", RenderedPtr{owner.address.value(), {}});
  return {std::move(value)};
}

constexpr std::string_view kNoNodesLeft = "values beyond what one dump renders are shown as bytes";

FailureDumpMap header_of(const BpfMapInfo& map) {
  return {.name = map.name,
          .map_kva = map.address.value(),
          .map_type = map.type,
          .value_size = map.value_size,
          .max_entries = map.max_entries,
          .id = map.id,
          .type_name = map.type_name};
}

/// Adds a sentence to dump.error; nothing when it is empty.
void add_error(FailureDumpMap& dump, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!dump.error)
    dump.error.emplace(sentence);
  else
    dump.error->append("; ").append(sentence);
}

void note(const ReadMarks& marks, FailureDumpMap& dump) {
  if (marks.truncated) add_error(dump, "truncated");
  if (marks.unreadable > 0) add_error(dump, fmt::format("{} unreadable", marks.unreadable));
  if (marks.corrupt > 0) add_error(dump, fmt::format("{} corrupt, left out", marks.corrupt));
  add_error(dump, marks.reason);
}

/// From the raw contents of one map to its FailureDumpMap, one function for each family.
class MapFiller {
 public:
  MapFiller(const MapRenderer& renderer, const BpfMapInfo& map, const MapTypes& types, FailureDumpMap& dump)
      : renderer_(renderer), map_(map), types_(types), dump_(dump) {}

  void fill(const ValueContents& contents);
  void fill(const LocalStorageContents& contents);
  void fill(const RingbufContents& contents);
  void fill(const StackTraceContents& contents);
  void fill(const FdArrayContents& contents);
  void fill(const BloomContents& contents) {
    dump_.bloom = {contents.bits, contents.bits_set, contents.hash_functions, contents.hash_seed};
  }
  void fill(const StructOpsContents& contents);
  /// An arena's pages are a snapshot of their own (CapturedMap::arena).
  void fill(const ArenaContents&) {}

 private:
  using Bytes = std::span<const std::byte>;

  void fill_array(const MapEntries& entries);
  void fill_percpu_array(const MapEntries& entries);
  void fill_percpu_hash(const MapEntries& entries);
  void fill_hash(const MapEntries& entries);
  /// By its type; nullopt without one.
  [[nodiscard]] std::optional<RenderedValue> typed(BtfTypeId type, Bytes bytes) const;
  /// By its type; as bytes without one. nullopt: not readable.
  [[nodiscard]] std::optional<RenderedValue> value_or_bytes(std::optional<Bytes> bytes) const;
  [[nodiscard]] std::vector<std::optional<RenderedValue>> per_cpu(const MapEntries& entries,
                                                                  std::size_t entry) const;
  void add_entry(std::optional<RenderedValue> key, Bytes key_bytes, std::optional<Bytes> value);

  const MapRenderer& renderer_;
  const BpfMapInfo& map_;
  const MapTypes& types_;
  FailureDumpMap& dump_;
};

std::optional<RenderedValue> MapFiller::typed(BtfTypeId type, Bytes bytes) const {
  if (!types_.btf || type == BtfTypeId{} || renderer_.nodes_left == 0) return std::nullopt;
  return render_value(*types_.btf, type, bytes, renderer_.context, renderer_.nodes_left);
}

std::optional<RenderedValue> MapFiller::value_or_bytes(std::optional<Bytes> bytes) const {
  if (!bytes) return std::nullopt;
  if (auto value = typed(types_.value, *bytes)) return value;
  return RenderedValue{RenderedBytes{hex_dump(*bytes)}};
}

std::vector<std::optional<RenderedValue>> MapFiller::per_cpu(const MapEntries& entries,
                                                             std::size_t entry) const {
  std::vector<std::optional<RenderedValue>> values;
  for (std::size_t slot = 0; slot < entries.slots(); ++slot)
    values.push_back(value_or_bytes(entries.value(entry, slot)));
  return values;
}

void MapFiller::add_entry(std::optional<RenderedValue> key, Bytes key_bytes, std::optional<Bytes> value) {
  auto& entry = dump_.entries.emplace_back();
  entry.key = std::move(key);
  entry.key_hex = hex_dump(key_bytes);
  if (!value) return;
  entry.value = typed(types_.value, *value);
  entry.value_hex = hex_dump(*value);
  if (entry.value && renderer_.payload) entry.payload = renderer_.payload(*entry.value);
}

void MapFiller::fill(const ValueContents& contents) {
  switch (map_.type) {
    case map_type::kArray:
    case map_type::kQueue:
    case map_type::kStack:
      fill_array(contents.entries);
      break;
    case map_type::kPerCpuArray:
      fill_percpu_array(contents.entries);
      break;
    case map_type::kPerCpuHash:
    case map_type::kLruPerCpuHash:
      fill_percpu_hash(contents.entries);
      break;
    default:
      fill_hash(contents.entries);
  }
}

void MapFiller::fill_array(const MapEntries& entries) {
  if (map_.type == map_type::kArray && map_.max_entries <= 1) {
    if (!entries.empty()) dump_.value = value_or_bytes(entries.value(0));
    return;
  }
  for (std::size_t i = 0; i < entries.size(); ++i)
    dump_.array_entries.push_back({static_cast<std::uint32_t>(i), value_or_bytes(entries.value(i))});
}

void MapFiller::fill_percpu_array(const MapEntries& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    dump_.percpu_entries.push_back({static_cast<std::uint32_t>(i), per_cpu(entries, i)});
}

void MapFiller::fill_percpu_hash(const MapEntries& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto key = entries.key(i);
    dump_.percpu_hash_entries.push_back({typed(types_.key, key), hex_dump(key), per_cpu(entries, i)});
  }
}

void MapFiller::fill_hash(const MapEntries& entries) {
  dump_.entries.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i)
    add_entry(typed(types_.key, entries.key(i)), entries.key(i), entries.value(i));
}

void MapFiller::fill(const LocalStorageContents& contents) {
  for (std::size_t i = 0; i < contents.entries.size(); ++i) {
    const auto& owner = contents.owners[i];
    const auto address = owner.address.value();
    add_entry(render_owner(owner), std::as_bytes(std::span(&address, 1)), contents.entries.value(i));
  }
}

void MapFiller::fill(const RingbufContents& contents) {
  const auto& at = contents.positions;
  auto& ring = dump_.ringbuf.emplace(FailureDumpRingbuf{
      at.capacity, at.consumer_pos, at.producer_pos, at.pending_pos, at.pending_bytes, {}});
  for (const auto& record : contents.records)
    ring.records.push_back(
        {record.position, record.length, record.busy, record.discarded, hex_dump(record.bytes)});
}

void MapFiller::fill(const StackTraceContents& contents) {
  auto& stacks = dump_.stack_trace.emplace();
  stacks.n_buckets = contents.n_buckets;
  stacks.truncated = contents.marks.truncated;
  stacks.buckets_unreadable = static_cast<std::uint32_t>(contents.marks.unreadable);
  for (const auto& bucket : contents.buckets)
    stacks.entries.push_back({bucket.bucket_id, bucket.nr, bucket.pcs, hex_dump(bucket.data)});
}

void MapFiller::fill(const FdArrayContents& contents) {
  auto& array = dump_.fd_array.emplace();
  array.populated = contents.populated;
  array.scanned = contents.scanned;
  array.truncated = contents.marks.truncated;
  array.indices_truncated = contents.indices_truncated;
  array.unreadable = static_cast<std::uint32_t>(contents.marks.unreadable);
  for (const auto& slot : contents.slots) {
    array.indices.push_back(slot.index);
    auto& shown = array.slots.emplace_back(
        FailureDumpFdSlot{slot.index, slot.id, slot.name, slot.object.value(), std::nullopt});
    if (slot.index < contents.keys.size()) shown.key_hex = hex_dump(contents.keys.key(slot.index));
  }
}

void MapFiller::fill(const StructOpsContents& contents) {
  dump_.value = value_or_bytes(Bytes(contents.kernel_value));
  auto& ops = dump_.struct_ops.emplace();
  ops.state = contents.state;
  ops.state_name = contents.state_name;
  ops.refcount = contents.refcount;
  if (!contents.user_value.empty()) ops.user_value = value_or_bytes(Bytes(contents.user_value));
}

}  // namespace

FailureDumpMap render_map(const MapRenderer& renderer, CapturedMap map) {
  auto dump = header_of(map.info);
  if (!map.contents) {
    add_error(dump, map.contents.error().message);
    return dump;
  }
  MapFiller filler(renderer, map.info, map.types, dump);
  std::visit(
      [&](const auto& family) {
        filler.fill(family);
        if constexpr (requires { family.marks; }) note(family.marks, dump);
      },
      *map.contents);
  dump.arena = std::move(map.arena);
  const bool declared = map.types.key != BtfTypeId{} || map.types.value != BtfTypeId{};
  if (map.info.btf_kva || declared) add_error(dump, map.types.unavailable);
  if (map.types.btf && renderer.nodes_left == 0) add_error(dump, kNoNodesLeft);
  return dump;
}

}  // namespace ktstr::introspect
