#include "introspect/arena/arena_snapshot.h"

#include <algorithm>
#include <array>
#include <optional>

#include "introspect/translator.h"

namespace ktstr::introspect {
namespace {

constexpr std::uint64_t kPresent = 1U << 0;
constexpr std::uint64_t kIsPage = 1U << 7;  // PS, above the last level
constexpr std::uint64_t kPhysicalAddress = 0x000f'ffff'ffff'f000;
constexpr std::uint64_t kIndexMask = 0x1ff;
constexpr std::uint8_t kPageShift = 12;

using Entries = std::array<std::uint64_t, 512>;

class RangeWalk {
 public:
  RangeWalk(const PhysicalMemory& memory, const PagingMode& mode, std::uint64_t begin, std::uint64_t last,
            const std::function<bool(KernelVirt, GuestPhys)>& visit)
      : memory_(memory), mode_(mode), begin_(begin), last_(last), visit_(visit) {}

  /// The part of [begin, last] that lies below the table of `level` whose first address is `base`. False: the
  /// visitor has enough.
  bool walk(GuestPhys table, std::size_t level, std::uint64_t base) {
    Entries entries;
    if (!memory_.read(table, std::as_writable_bytes(std::span(entries)))) return true;
    const std::uint8_t shift = mode_.levels[level].shift;
    const std::uint64_t first = base < begin_ ? begin_ >> shift & kIndexMask : 0;
    for (std::uint64_t index = first; index < entries.size(); ++index) {
      const std::uint64_t address = base + (index << shift);
      if (address > last_) return true;
      if ((entries[index] & kPresent) == 0) continue;
      const GuestPhys next(entries[index] & kPhysicalAddress);
      if (shift == kPageShift ? !visit_(KernelVirt(address), next)
                              : (entries[index] & kIsPage) == 0 && !walk(next, level + 1, address))
        return false;
    }
    return true;
  }

 private:
  const PhysicalMemory& memory_;
  const PagingMode& mode_;
  std::uint64_t begin_;
  std::uint64_t last_;
  const std::function<bool(KernelVirt, GuestPhys)>& visit_;
};

}  // namespace

void for_each_mapped_page(const PhysicalMemory& memory, const PageTable& table, KernelVirt begin,
                          std::uint64_t length, const std::function<bool(KernelVirt, GuestPhys)>& visit) {
  const std::uint64_t last = begin.value() + (length - 1);
  if (length == 0 || last < begin.value() || !table.mode->is_canonical(begin.value()) ||
      !table.mode->is_canonical(last))
    return;
  const std::uint8_t root_shift = table.mode->levels.front().shift;
  const std::uint64_t root_base = begin.value() >> root_shift >> 9 << 9 << root_shift;
  RangeWalk(memory, *table.mode, begin.value(), last, visit).walk(table.root, 0, root_base);
}

ArenaSnapshot snapshot_arena(const ArenaReader& arena, std::uint64_t max_entries, std::size_t max_pages,
                             const std::vector<ArenaPageRange>* within) {
  constexpr std::uint64_t kMostPages = kMaxArenaBytes / kArenaPageBytes;
  const ArenaWindow& window = arena.window();
  const PhysicalMemory& memory = arena.translator().memory();
  ArenaSnapshot snapshot;
  snapshot.declared_pages = std::min(max_entries, kMostPages);
  snapshot.span_capped = max_entries > kMostPages;
  snapshot.kern_vm_start = window.kern_vm_start.value();
  snapshot.user_vm_start = window.user_vm_start;
  const KernelVirt first = window.kernel_address(static_cast<ArenaPlace>(window.user_vm_start));
  const auto take = [&](KernelVirt address, GuestPhys page) {
    if (window.scratch_page == page) return true;
    if (snapshot.pages.size() == max_pages) {
      snapshot.truncated = true;
      return false;
    }
    ArenaPage taken{window.user_vm_start + (address - first), std::vector<std::uint8_t>(kArenaPageBytes)};
    if (memory.read(page, std::as_writable_bytes(std::span(taken.bytes))))
      snapshot.pages.push_back(std::move(taken));
    return true;
  };
  const std::uint64_t end = std::min(snapshot.declared_pages, window.length() / kArenaPageBytes);
  const std::vector<ArenaPageRange> everywhere{{0, end}};
  for (const ArenaPageRange& range : within ? *within : everywhere) {
    if (snapshot.truncated || range.first >= end) break;
    for_each_mapped_page(memory, arena.translator().table(), first + range.first * kArenaPageBytes,
                         std::min(range.count, end - range.first) * kArenaPageBytes, take);
  }
  return snapshot;
}

}  // namespace ktstr::introspect
