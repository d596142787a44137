// BLOOM_FILTER (kernel/bpf/bloom_filter.c).
#include <algorithm>
#include <bit>

#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {

Result<BloomContents> read_bloom_filter(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const BpfBloomLayout layout = KTSTR_TRY(layouts.bloom);
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, map.address)) return map_unreadable("struct bpf_bloom_filter");
  BloomContents contents;
  contents.bits = std::uint64_t{*layout.bitset_mask.read(bytes)} + 1;
  contents.hash_seed = *layout.hash_seed.read(bytes);
  contents.hash_functions = *layout.nr_hash_funcs.read(bytes);
  if (!std::has_single_bit(contents.bits))
    return corrupted("a filter of " + std::to_string(contents.bits) + " bits");
  const std::uint64_t words = (contents.bits + 63) / 64;
  const std::uint64_t taken = std::min<std::uint64_t>(words, limits.bytes / sizeof(std::uint64_t));
  if (taken < words) contents.marks.cut("more bits than the cap");
  contents.words.resize(taken);
  if (!kernel.read_bytes(layout.bitset.address(map.address),
                         std::as_writable_bytes(std::span(contents.words))))
    return map_unreadable("the filter's bits");
  for (const std::uint64_t word : contents.words)
    contents.bits_set += static_cast<unsigned>(std::popcount(word));
  return contents;
}

}  // namespace ktstr::introspect
