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
    text += fmt::format("  {} more (--json)\n", allocator.entries.size() - shown);
  return text;
}

}  // namespace

std::string arena_text(const introspect::ArenaSnapshot& arena) {
  return fmt::format("  {} pages of {} allocated{}, from {:#x}\n", arena.pages.size(), arena.declared_pages,
                     arena.truncated ? " and more" : "", arena.user_vm_start);
}

std::string allocations_text(const introspect::FailureDumpReport& report, const Paint& paint,
                             std::size_t most) {
  std::string text;
  for (const auto& allocator : report.sdt_allocations) text += "\n" + allocator_text(allocator, paint, most);
  for (const auto& range : report.scx_static_ranges.ranges)
    text += fmt::format("\n{}, {} of {} bytes handed out, from {:#x}\n", paint.heading(range.instance_name),
                        range.size, range.capacity, range.start_low32);
  return text;
}

}  // namespace ktstr::engine
