#include <fmt/format.h>

#include <algorithm>

#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

std::string entry_text(const introspect::SdtAllocEntry& entry) {
  return fmt::format("  [{}] generation {} at {:#x}: {}\n", entry.idx, entry.genn, entry.user_addr,
                     introspect::to_text(entry.payload, 1));
}

std::string allocator_text(const introspect::SdtAllocatorSnapshot& allocator, const Paint& paint,
                           std::size_t most) {
  auto text =
      fmt::format("{}, {} allocations of {} bytes{}\n", paint.heading(allocator.allocator_name),
                  allocator.entries.size(), allocator.elem_size, allocator.truncated ? " and more" : "");
  if (!allocator.payload_type_reason.empty())
    text += "  type unknown: " + allocator.payload_type_reason + "\n";
  if (allocator.skipped_subtrees > 0)
    text += fmt::format("  {} {} of the tree could not be followed\n", paint.alarm("not whole:"),
                        allocator.skipped_subtrees);
  const auto shown = std::min(allocator.entries.size(), most);
  for (std::size_t i = 0; i < shown; ++i) text += entry_text(allocator.entries[i]);
  if (shown < allocator.entries.size())
    text += fmt::format("  {} more (--map with the arena's name)\n", allocator.entries.size() - shown);
  return text;
}

bool has_arena(const introspect::FailureDumpReport& report) {
  return std::ranges::any_of(report.maps, [](const auto& map) { return map.arena.has_value(); });
}

/// Neighbouring pages.
struct PageRun {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::size_t pages = 0;
  std::size_t used_bytes = 0;
};

std::vector<PageRun> page_runs(const std::vector<introspect::ArenaPage>& pages) {
  constexpr std::uint64_t kPageBytes = 4096;
  std::vector<PageRun> runs;
  for (const auto& page : pages) {
    if (runs.empty() || runs.back().end != page.user_addr)
      runs.push_back({page.user_addr, page.user_addr, 0, 0});
    auto& run = runs.back();
    run.end += kPageBytes;
    ++run.pages;
    run.used_bytes += page.bytes.size() - static_cast<std::size_t>(std::ranges::count(page.bytes, 0));
  }
  return runs;
}

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

std::string arena_text(const introspect::ArenaSnapshot& arena, std::size_t most) {
  auto text = fmt::format("  {} pages of {} allocated{}, from {:#x}\n", arena.pages.size(),
                          arena.declared_pages, arena.truncated ? " and more" : "", arena.user_vm_start);
  const auto runs = page_runs(arena.pages);
  const auto shown = std::min(runs.size(), most);
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("  {:#x}-{:#x}: {} page{}, {} of {} bytes not zero\n", runs[i].begin, runs[i].end - 1,
                        runs[i].pages, runs[i].pages == 1 ? "" : "s", runs[i].used_bytes,
                        runs[i].end - runs[i].begin);
  if (shown < runs.size()) text += fmt::format("  {} more (--map NAME)\n", runs.size() - shown);
  return text;
}

std::string allocations_text(const introspect::FailureDumpReport& report, const Paint& paint,
                             std::size_t most) {
  std::string text;
  if (report.sdt_allocations.empty() && report.sdt_alloc_unavailable && has_arena(report))
    text += "\narena allocations: " + *report.sdt_alloc_unavailable + "\n";
  for (const auto& allocator : report.sdt_allocations) text += "\n" + allocator_text(allocator, paint, most);
  for (const auto& range : report.scx_static_ranges.ranges)
    text += fmt::format("\n{}, {} of {} bytes handed out, from {:#x}\n", paint.heading(range.instance_name),
                        range.size, range.capacity, range.start_low32);
  return text;
}

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
