#include "introspect/arena/sdt_walk.h"

#include <cstring>
#include <unordered_set>

namespace ktstr::introspect {
namespace {

constexpr std::uint64_t kMaxDescBytes = 4096;

Status resolve_desc(const Btf& btf, SdtLayout& layout) {
  if (!btf.find_struct("sdt_desc")) return ok();
  const auto desc = KTSTR_TRY(resolve_layout<SdtDescLayout>(btf));
  if (desc.size() > kMaxDescBytes) return corrupted("struct sdt_desc is larger than a page");
  layout.desc_bytes = desc.size();
  layout.desc_allocated = desc.allocated.offset();
  layout.desc_nr_free = desc.nr_free.offset();
  layout.desc_chunk = desc.chunk.offset();
  return ok();
}

using Pointers = std::array<std::uint64_t, kSdtChunkEntries>;

struct Node {
  SdtBitmap allocated;
  Pointers children;
};

bool is_set(const SdtBitmap& bitmap, std::size_t bit) {
  return (bitmap[bit / 64] >> (bit % 64) & 1) != 0;
}

class TreeWalk {
 public:
  TreeWalk(const ArenaReader& arena, const SdtLayout& layout, ReadBudget* budget)
      : arena_(arena), layout_(layout), budget_(budget) {}

  void walk(std::uint64_t address, std::size_t level) {
    if (seen_.size() == kMaxSdtNodes || is_over(kNodeBytes)) return void(slots_.truncated = true);
    const auto node = read_node(address);
    if (!node) return void(++slots_.skipped_subtrees);
    const bool leaf = level + 1 == kSdtLevels;
    for (std::size_t i = 0; i < kSdtChunkEntries && !slots_.truncated; ++i) {
      const std::uint64_t child = node->children[i];
      if (!leaf && child != 0) walk(child, level + 1);
      if (leaf && is_set(node->allocated, i)) add_slot(child);
    }
  }
  [[nodiscard]] SdtSlots take() { return std::move(slots_); }

 private:
  [[nodiscard]] std::optional<Node> read_node(std::uint64_t address) {
    const auto place = arena_.window().place_of(address);
    if (!place || !seen_.insert(*place).second) return std::nullopt;
    std::array<std::byte, 4096> bytes;
    if (!arena_.read(address, std::span(bytes).first(layout_.desc_bytes))) return std::nullopt;
    Node node;
    std::uint64_t nr_free = 0;
    std::uint64_t chunk = 0;
    std::memcpy(&node.allocated, bytes.data() + layout_.desc_allocated, sizeof(node.allocated));
    std::memcpy(&nr_free, bytes.data() + layout_.desc_nr_free, sizeof(nr_free));
    std::memcpy(&chunk, bytes.data() + layout_.desc_chunk, sizeof(chunk));
    if (nr_free > kSdtChunkEntries || chunk == 0) return std::nullopt;
    if (!arena_.read(chunk + layout_.chunk_pointers, std::as_writable_bytes(std::span(node.children))))
      return std::nullopt;
    return node;
  }

  void add_slot(std::uint64_t address) {
    const auto place = arena_.window().place_of(address);
    if (!place) return void(++slots_.skipped_subtrees);
    if (slots_.places.size() == kMaxSdtSlots || !take_from(budget_, kSlotBytes))
      return void(slots_.truncated = true);
    slots_.places.push_back(*place);
  }

  [[nodiscard]] bool is_over(std::uint64_t bytes) const {
    return budget_ && (budget_->expired() || !budget_->take(bytes));
  }

  static constexpr std::uint64_t kNodeBytes = 64;   ///< in seen_
  static constexpr std::uint64_t kSlotBytes = 256;  ///< here, in the index, and among those that are shown

  const ArenaReader& arena_;
  const SdtLayout& layout_;
  ReadBudget* budget_;
  std::unordered_set<ArenaPlace> seen_;
  SdtSlots slots_;
};

}  // namespace

Result<SdtLayout> SdtLayout::resolve(const Btf& btf) {
  const auto allocator = btf.find_struct("scx_allocator");
  if (!allocator) return Error{ErrorCode::kNotFound, "no struct scx_allocator"};
  KTSTR_TRY(btf.member(*allocator, "pool.elem_size"));
  const BtfMember root = KTSTR_TRY(btf.member(*allocator, "root"));
  const auto node = btf.pointee(root.type);
  if (!node || btf.name_of(btf.strip(*node)) != "sdt_desc")
    return Error{ErrorCode::kNotFound, "scx_allocator.root does not point to a struct sdt_desc"};
  SdtLayout layout;
  KTSTR_TRY(resolve_desc(btf, layout));
  if (const auto chunk = btf.find_struct("sdt_chunk"))
    for (const std::string_view name : {"descs", "data"})
      if (const auto member = btf.member(*chunk, name)) layout.chunk_pointers = member->byte_offset();
  if (const auto data = btf.find_struct("sdt_data"))
    if (const auto size = btf.size_of(*data); size && *size >= 8 && *size <= 64) layout.header_bytes = *size;
  return layout;
}

SdtSlots walk_sdt_tree(const ArenaReader& arena, const SdtLayout& layout, std::uint64_t root,
                       ReadBudget* budget) {
  TreeWalk walk(arena, layout, budget);
  if (root != 0) walk.walk(root, 0);
  return walk.take();
}

}  // namespace ktstr::introspect
