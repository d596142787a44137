// HashWalk: the elements of a BPF hash table, bucket by bucket (kernel/bpf/hashtab.c).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "introspect/bpf/read_context.h"
#include "introspect/walk/cycle_check.h"

namespace ktstr::introspect {

/// Walks a table of any hash type. Each element is read once, with one memory read: header, key and value (of
/// per-CPU tables: the pointer to the values). An element is only given when its hash is of the bucket it was
/// found in; a chain must end in its own bucket's mark. Anything else was moved, freed or damaged.
class HashWalk {
 public:
  /// Checks the table's shape. `value_bytes`: what an element holds after its key.
  [[nodiscard]] static Result<HashWalk> open(const ReadContext& context, std::uint64_t value_bytes);

  /// Calls visit(address, key, value) for each element, in bucket order; it returns false to end the walk. At
  /// most `cap` elements; the spans are valid during the call. After a chain that turns out to be a cycle,
  /// forget(n) says how many of the last elements were repetitions.
  template <class Visit, class Forget>
  void run(std::size_t cap, ReadMarks& marks, Visit visit, Forget forget);

  /// Where the value of the element at `node` is.
  [[nodiscard]] KernelVirt value_address(KernelVirt node) const {
    return node - layout_.element.next.offset() + value_offset_;
  }

 private:
  HashWalk(const ReadContext& context, const BpfHashLayout& layout) : context_(context), layout_(layout) {}

  /// The first pointers of the buckets [bucket, bucket + n) in one page, into firsts_. False: unreadable.
  [[nodiscard]] bool read_heads(std::uint64_t bucket, std::size_t count);
  [[nodiscard]] std::size_t heads_in_page(std::uint64_t bucket) const;
  /// Reads the element at `node` into element_. False, and why in `marks`, when it is none of `bucket`'s.
  [[nodiscard]] bool read_element(KernelVirt node, std::uint64_t bucket, ReadMarks& marks);
  /// How many of the nodes_ are repetitions.
  [[nodiscard]] std::size_t repetitions() const;

  template <class T>
  [[nodiscard]] T element_field(const ValueField<T>& field) const {
    T value;
    std::memcpy(&value, element_.data() + field.offset(), sizeof(T));
    return value;
  }

  template <class Visit, class Forget>
  bool run_chain(KernelVirt node, std::uint64_t bucket, std::size_t cap, ReadMarks& marks, Visit& visit,
                 Forget& forget);

  /// More buckets than any table that a scheduler makes; more would only be a way to keep us busy.
  static constexpr std::uint64_t kMaxBuckets = 1U << 24;

  ReadContext context_;
  BpfHashLayout layout_;
  KernelVirt buckets_;
  std::uint64_t bucket_count_ = 0;
  std::uint64_t value_offset_ = 0;
  std::uint64_t value_bytes_ = 0;
  std::size_t taken_ = 0;
  std::vector<std::byte> heads_;
  std::vector<std::byte> element_;
  std::vector<KernelVirt> nodes_;  ///< of the chain being walked
};

template <class Visit, class Forget>
void HashWalk::run(std::size_t cap, ReadMarks& marks, Visit visit, Forget forget) {
  taken_ = 0;
  const std::uint64_t end = std::min(bucket_count_, kMaxBuckets);
  if (end < bucket_count_) marks.cut("more buckets than the cap");
  for (std::uint64_t page = 0; page < end;) {
    const std::size_t count = std::min<std::uint64_t>(heads_in_page(page), end - page);
    if (!read_heads(page, count)) {
      marks.missed("buckets in memory that can't be read", count);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        KernelVirt first;
        std::memcpy(&first, heads_.data() + i * layout_.bucket.size() + layout_.bucket.first.offset(),
                    sizeof(first));
        if (!run_chain(first, page + i, cap, marks, visit, forget)) return;
      }
    }
    page += count;
  }
}

/// False when the walk is over.
template <class Visit, class Forget>
bool HashWalk::run_chain(KernelVirt node, std::uint64_t bucket, std::size_t cap, ReadMarks& marks,
                         Visit& visit, Forget& forget) {
  nodes_.clear();
  CycleCheck cycle;
  bool more = true;
  for (; (node.value() & 1) == 0; node = element_field(layout_.element.next)) {
    if (cycle.closes(node)) {
      marks.refused("a bucket's chain is a cycle");
      break;
    }
    if (taken_ == cap) {
      marks.cut("more entries than the cap");
      more = false;
      break;
    }
    if (!read_element(node, bucket, marks)) break;
    nodes_.push_back(node);
    ++taken_;
    const std::span<const std::byte> element(element_);
    more = visit(node, element.subspan(layout_.element.key.offset(), context_.map.key_size),
                 element.subspan(value_offset_, value_bytes_));
    if (!more) return false;
  }
  if ((node.value() & 1) != 0 && node.value() >> 1 != bucket)
    marks.refused("a bucket's chain ends in another bucket");
  if (const std::size_t again = repetitions(); again != 0) taken_ -= again, forget(again);
  return more;
}

}  // namespace ktstr::introspect
