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

}  // namespace ktstr::engine
