#include <fmt/format.h>

#include <algorithm>

#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

using introspect::FailureDumpMap;
using introspect::RenderedValue;

/// Of each map, in the text of a whole dump.
constexpr std::size_t kFirstEntries = 4;

std::string value_text(const std::optional<RenderedValue>& value, std::size_t indent) {
  return value ? introspect::to_text(*value, indent) : "unreadable";
}

std::string typed_or_hex(const std::optional<RenderedValue>& value, const std::string& hex,
                         std::size_t indent) {
  if (value) return introspect::to_text(*value, indent);
  return hex.empty() ? "unreadable" : "[" + hex + "]";
}

std::string per_cpu_text(const std::vector<std::optional<RenderedValue>>& values) {
  std::string text;
  for (std::size_t cpu = 0; cpu < values.size(); ++cpu)
    text += fmt::format("    cpu {}: {}\n", cpu, value_text(values[cpu], 2));
  return text;
}

std::string entry_text(const introspect::FailureDumpEntry& entry) {
  auto text = fmt::format("  {}: {}\n", typed_or_hex(entry.key, entry.key_hex, 1),
                          typed_or_hex(entry.value, entry.value_hex, 1));
  if (entry.payload) text += "    payload " + introspect::to_text(*entry.payload, 2) + "\n";
  return text;
}
std::string entry_text(const introspect::FailureDumpArrayEntry& entry) {
  return fmt::format("  {}: {}\n", entry.key, value_text(entry.value, 1));
}
std::string entry_text(const introspect::FailureDumpPercpuEntry& entry) {
  return fmt::format("  {}:\n", entry.key) + per_cpu_text(entry.per_cpu);
}
std::string entry_text(const introspect::FailureDumpPercpuHashEntry& entry) {
  return fmt::format("  {}:\n", typed_or_hex(entry.key, entry.key_hex, 1)) + per_cpu_text(entry.per_cpu);
}
std::string entry_text(const introspect::FailureDumpStackTraceEntry& entry) {
  auto text = fmt::format("  stack {}, {} frames", entry.bucket_id, entry.nr);
  for (const auto pc : entry.pcs) text += fmt::format(" {:#x}", pc);
  return text + "\n";
}
std::string entry_text(const introspect::FailureDumpFdSlot& slot) {
  auto text = fmt::format("  {}:", slot.index);
  if (slot.key_hex) text += " [" + *slot.key_hex + "]";
  if (slot.id) text += fmt::format(" id {}", *slot.id);
  if (!slot.name.empty()) text += " " + slot.name;
  return text + fmt::format(" at {:#x}\n", slot.object_kva);
}
std::string entry_text(const introspect::FailureDumpRingbufRecord& record) {
  return fmt::format("  at {}: {} bytes{}{} [{}]\n", record.position, record.length,
                     record.busy ? ", not committed" : "", record.discarded ? ", discarded" : "",
                     record.data_hex);
}

template <class Entry>
std::string entries_text(const std::vector<Entry>& entries, std::size_t most) {
  std::string text;
  const auto shown = std::min(entries.size(), most);
  for (std::size_t i = 0; i < shown; ++i) text += entry_text(entries[i]);
  if (shown < entries.size()) text += fmt::format("  {} more (--map NAME)\n", entries.size() - shown);
  return text;
}

std::string ringbuf_text(const introspect::FailureDumpRingbuf& ring, std::size_t most) {
  return fmt::format("  {} of {} bytes pending; consumer at {}, producer at {}\n", ring.pending_bytes,
                     ring.capacity, ring.consumer_pos, ring.producer_pos) +
         entries_text(ring.records, most);
}

std::string special_text(const FailureDumpMap& map, std::size_t most) {
  std::string text;
  if (map.ringbuf) text += ringbuf_text(*map.ringbuf, most);
  if (map.stack_trace)
    text += fmt::format("  {} of {} buckets hold a stack\n", map.stack_trace->entries.size(),
                        map.stack_trace->n_buckets) +
            entries_text(map.stack_trace->entries, most);
  if (map.fd_array)
    text += fmt::format("  {} of {} slots in use\n", map.fd_array->populated, map.fd_array->scanned) +
            entries_text(map.fd_array->slots, most);
  if (map.bloom)
    text += fmt::format("  {} of {} bits set, {} for each value\n", map.bloom->bits_set, map.bloom->bits,
                        map.bloom->hash_functions);
  if (map.struct_ops)
    text += fmt::format("  {}, {} references\n", map.struct_ops->state_name, map.struct_ops->refcount);
  if (map.arena) text += arena_text(*map.arena, most);
  return text;
}

}  // namespace

std::string map_text(const FailureDumpMap& map, const Paint& paint, std::size_t most) {
  auto text = fmt::format("map {} {}, id {}, {} bytes a value, {} entries at most\n",
                          paint.heading(map.name.empty() ? "(no name)" : map.name),
                          map.type_name.empty() ? std::to_string(map.map_type) : map.type_name, map.id,
                          map.value_size, map.max_entries);
  if (map.error) text += "  " + paint.alarm("not whole") + ": " + *map.error + "\n";
  if (map.value) text += "  " + introspect::to_text(*map.value, 1) + "\n";
  return text + special_text(map, most) + entries_text(map.entries, most) +
         entries_text(map.array_entries, most) + entries_text(map.percpu_entries, most) +
         entries_text(map.percpu_hash_entries, most);
}

std::string maps_text(const introspect::FailureDumpReport& report, const Paint& paint) {
  std::string text;
  for (const auto& map : report.maps) text += "\n" + map_text(map, paint, kFirstEntries);
  return text + allocations_text(report, paint, kFirstEntries);
}

}  // namespace ktstr::engine
