#include "introspect/bpf/hash_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace ktstr::introspect {

namespace {
constexpr std::uint64_t kPage = 4096;
}

Result<HashWalk> HashWalk::open(const ReadContext& context, std::uint64_t value_bytes) {
  HashWalk walk(context, KTSTR_TRY(context.layouts.hash));
  StructBytes table;
  if (!table.capture(context.kernel, walk.layout_.table, context.map.address))
    return map_unreadable("struct bpf_htab");
  walk.buckets_ = *walk.layout_.table.buckets.read(table);
  walk.bucket_count_ = *walk.layout_.table.n_buckets.read(table);
  walk.value_bytes_ = value_bytes;
  walk.value_offset_ = walk.layout_.element.key.offset() + padded(context.map.key_size);
  const std::uint64_t element = *walk.layout_.table.elem_size.read(table);
  if (element != walk.value_offset_ + padded(value_bytes))
    return corrupted(fmt::format("elements of {} bytes for keys of {} and values of {}", element,
                                 context.map.key_size, value_bytes));
  if (walk.bucket_count_ != bucket_count_for(context.map.max_entries))
    return corrupted(fmt::format("{} buckets for {} entries", walk.bucket_count_, context.map.max_entries));
  if (!context.plausible(walk.buckets_)) return corrupted("the buckets are at no kernel address");
  walk.element_.resize(walk.value_offset_ + value_bytes);
  return walk;
}

std::size_t HashWalk::heads_in_page(std::uint64_t bucket) const {
  const std::uint64_t size = layout_.bucket.size();
  const std::uint64_t left = kPage - (buckets_ + bucket * size).value() % kPage;
  return std::max<std::uint64_t>(1, left / size);
}

bool HashWalk::read_heads(std::uint64_t bucket, std::size_t count) {
  heads_.resize(count * layout_.bucket.size());
  return context_.kernel.read_bytes(buckets_ + bucket * layout_.bucket.size(), heads_);
}

bool HashWalk::read_element(KernelVirt node, std::uint64_t bucket, ReadMarks& marks) {
  if (!context_.plausible(node)) {
    marks.refused("a bucket's chain holds no kernel pointer");
    return false;
  }
  const KernelVirt start = node - layout_.element.next.offset();
  if (!context_.kernel.read_bytes(start, element_)) {
    marks.missed("an element in memory that can't be read");
    return false;
  }
  if ((element_field(layout_.element.hash) & (bucket_count_ - 1)) == bucket) return true;
  marks.refused("an element of another bucket");
  return false;
}

std::size_t HashWalk::repetitions() const {
  constexpr std::size_t kUsualChain = 16;  // so short, looking back is faster than a set
  std::unordered_set<KernelVirt> seen;
  for (auto node = nodes_.begin(); node != nodes_.end(); ++node) {
    const bool again = nodes_.size() <= kUsualChain ? std::find(nodes_.begin(), node, *node) != node
                                                    : !seen.insert(*node).second;
    if (again) return static_cast<std::size_t>(nodes_.end() - node);
  }
  return 0;
}

}  // namespace ktstr::introspect
