#include "introspect/walk/rhashtable.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "introspect/translator.h"
#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

/// A resize links the next table to the current one; a second resize may begin before the first has ended.
constexpr std::size_t kMaxTables = 4;
/// In a bucket's head, bit 0 is a lock; in a link it marks the end of the chain.
constexpr std::uint64_t kLowestBit = 1;

class RhashtableWalk {
 public:
  RhashtableWalk(const Translator& memory, const RhashtableLayout& layout, std::size_t cap)
      : memory_(memory), layout_(layout), cap_(cap), nodes_left_(2 * cap + 64) {}

  Walked<KernelVirt> from_table(KernelVirt table) && {
    const auto first = layout_.table.buckets.read(memory_, table);
    if (!first) return Walked<KernelVirt>::unreadable("the table is in unmapped memory", table);
    KernelVirt buckets = *first;
    for (std::size_t tables = 0; !buckets.is_null() && !full_; ++tables) {
      if (tables == kMaxTables) {
        walked_.note(WalkEnd::kCorrupt, "more bucket tables than resizes can leave", buckets);
        break;
      }
      buckets = read_buckets(buckets);
    }
    return std::move(walked_);
  }

 private:
  /// Reads one bucket table; returns the next one, null when there is none or this one can't be trusted.
  KernelVirt read_buckets(KernelVirt buckets) {
    StructBytes bytes;
    const auto refuse = [&](WalkEnd how, std::string_view why) {
      walked_.note(how, why, buckets);
      return KernelVirt{};
    };
    if (!memory_.plausible_pointer(buckets))
      return refuse(WalkEnd::kCorrupt, "a bucket table that is no kernel pointer");
    if (!bytes.capture(memory_, layout_.buckets, buckets))
      return refuse(WalkEnd::kUnreadable, "a bucket table in unmapped memory");
    if (*layout_.buckets.nest.read(bytes) != 0)
      return refuse(WalkEnd::kTruncated, "a nested bucket table is not followed");
    const std::size_t size = *layout_.buckets.size.read(bytes);
    if (size > kMaxRhashtableBuckets) walked_.note(WalkEnd::kTruncated, "more buckets than the cap", buckets);
    read_heads(layout_.buckets.heads.address(buckets), std::min(size, kMaxRhashtableBuckets));
    return *layout_.buckets.future.read(bytes);
  }

  void read_heads(KernelVirt heads, std::size_t count) {
    std::array<std::uint64_t, 64> block{};
    for (std::size_t begin = 0; begin < count && !full_; begin += block.size()) {
      const auto part = std::span(block).first(std::min(block.size(), count - begin));
      if (memory_.read_bytes(heads + begin * 8, std::as_writable_bytes(part)))
        read_chains(part);
      else
        read_heads_apart(heads + begin * 8, part);
    }
  }

  /// A block on the border of what is mapped: those of its heads that can be read.
  void read_heads_apart(KernelVirt heads, std::span<std::uint64_t> block) {
    for (std::size_t i = 0; i < block.size(); ++i) {
      const auto head = block.subspan(i, 1);
      if (memory_.read_bytes(heads + i * 8, std::as_writable_bytes(head)))
        read_chains(head);
      else
        walked_.note(WalkEnd::kUnreadable, "buckets in unmapped memory", heads + i * 8);
    }
  }

  void read_chains(std::span<const std::uint64_t> heads) {
    for (const std::uint64_t head : heads)
      if (!full_) read_chain(KernelVirt(head & ~kLowestBit));
  }

  void read_chain(KernelVirt first) {
    const auto chain = walk_hlist_nodes(memory_, first, std::min(kMaxRhashtableChain, nodes_left_));
    nodes_left_ -= chain.items.size();
    for (const KernelVirt node : chain.items) {
      if (!seen_.insert(node).second) continue;
      if (walked_.items.size() == cap_) {
        full_ = true;
        return walked_.note(WalkEnd::kTruncated, "more elements than the cap", node);
      }
      walked_.items.push_back(node);
    }
    if (!chain.complete()) walked_.note(chain.end, chain.reason, chain.at);
    // Many buckets that lead into one long chain would otherwise be as many walks of it.
    full_ = full_ || nodes_left_ == 0;
  }

  const Translator& memory_;
  const RhashtableLayout& layout_;
  std::size_t cap_;
  std::size_t nodes_left_;
  bool full_ = false;
  Walked<KernelVirt> walked_;
  std::unordered_set<KernelVirt> seen_;
};

}  // namespace

Walked<KernelVirt> walk_rhashtable(const Translator& memory, const RhashtableLayout& layout, KernelVirt table,
                                   std::size_t cap) {
  return RhashtableWalk(memory, layout, cap).from_table(table);
}

}  // namespace ktstr::introspect
