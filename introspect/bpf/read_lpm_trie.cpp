// LPM_TRIE (kernel/bpf/lpm_trie.c).
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

constexpr std::uint32_t kIntermediate = 1;  // LPM_TREE_NODE_FLAG_IM: a fork without a value

class TrieWalk {
 public:
  TrieWalk(const ReadContext& context, const BpfLpmLayout& layout) : context_(context), layout_(layout) {}

  Result<ValueContents> run() && {
    StructBytes trie;
    if (!trie.capture(context_.kernel, layout_.trie, context_.map.address))
      return map_unreadable("struct lpm_trie");
    data_size_ = *layout_.trie.data_size.read(trie);
    max_prefix_ = *layout_.trie.max_prefixlen.read(trie);
    if (data_size_ + kPrefixBytes != context_.map.key_size || max_prefix_ != data_size_ * 8)
      return corrupted(
          fmt::format("keys of {} bytes for {} bytes of data", context_.map.key_size, data_size_));
    header_.resize(layout_.node.data.offset() + data_size_);
    contents_.entries = MapEntries(context_.map.key_size, context_.map.value_size);
    cap_ = std::min<std::size_t>(context_.limits.hash_entries,
                                 contents_.entries.capacity_for(context_.limits.bytes));
    pending_.push_back({*layout_.trie.root.read(trie), std::nullopt, 0});
    while (!pending_.empty()) {
      const Pending next = pending_.back();
      pending_.pop_back();
      if (!next.node.is_null() && !visit(next)) break;
    }
    return std::move(contents_);
  }

 private:
  static constexpr std::uint32_t kPrefixBytes = 4;

  /// A node to be visited: below a fork after `parent_prefix` bits, on the side `side`.
  struct Pending {
    KernelVirt node;
    std::optional<std::uint32_t> parent_prefix;
    unsigned side;
  };

  /// False when a cap ends the walk.
  bool visit(const Pending& at) {
    ReadMarks& marks = contents_.marks;
    if (nodes_++ > 2 * cap_ + 64 || contents_.entries.size() == cap_) {
      marks.cut("more entries than the cap");
      return false;
    }
    if (!context_.plausible(at.node)) {
      marks.refused("a node that is no kernel pointer");
      return true;
    }
    if (!context_.kernel.read_bytes(at.node, header_)) {
      marks.missed("a node in memory that can't be read");
      return true;
    }
    const auto prefix = field(layout_.node.prefixlen);
    if (!belongs(at, prefix)) {
      marks.refused("a node that is not of its branch");
      return true;
    }
    if ((field(layout_.node.flags) & kIntermediate) == 0) append(at.node, prefix);
    const auto children = field(layout_.node.child);
    for (const unsigned side : {1U, 0U}) pending_.push_back({children[side], prefix, side});
    return true;
  }

  /// Prefixes grow on the way down, which no cycle can do, and a node's bits say which side it is on.
  [[nodiscard]] bool belongs(const Pending& at, std::uint32_t prefix) const {
    if (prefix > max_prefix_) return false;
    if (!at.parent_prefix) return true;
    if (prefix <= *at.parent_prefix) return false;
    const auto byte = std::to_integer<unsigned>(header_[layout_.node.data.offset() + *at.parent_prefix / 8]);
    return (byte >> (7 - *at.parent_prefix % 8) & 1) == at.side;
  }

  void append(KernelVirt node, std::uint32_t prefix) {
    const auto target = contents_.entries.append();
    const std::size_t entry = contents_.entries.size() - 1;
    std::memcpy(target.data(), &prefix, kPrefixBytes);
    std::memcpy(target.data() + kPrefixBytes, header_.data() + layout_.node.data.offset(), data_size_);
    const KernelVirt value = layout_.node.data.address(node) + data_size_;
    if (context_.kernel.read_bytes(value, contents_.entries.slot_bytes(entry, 0))) return;
    contents_.entries.mark_absent(entry, 0);
    contents_.marks.missed("a value in memory that can't be read");
  }

  template <class T>
  [[nodiscard]] T field(const Field<T>& member) const {
    T value;
    std::memcpy(&value, header_.data() + member.offset(), sizeof(T));
    return value;
  }

  const ReadContext& context_;
  const BpfLpmLayout& layout_;
  std::uint64_t data_size_ = 0;
  std::uint64_t max_prefix_ = 0;
  std::size_t cap_ = 0;
  std::size_t nodes_ = 0;
  std::vector<std::byte> header_;  ///< of the node visited, its key's data included
  std::vector<Pending> pending_;
  ValueContents contents_;
};

}  // namespace

Result<ValueContents> read_lpm_trie(const ReadContext& context) {
  const BpfLpmLayout layout = KTSTR_TRY(context.layouts.lpm);
  KTSTR_TRY(check_entry_size(context));
  return TrieWalk(context, layout).run();
}

}  // namespace ktstr::introspect
