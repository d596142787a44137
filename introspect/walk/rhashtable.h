// struct rhashtable: the kernel's resizable hash table (include/linux/rhashtable.h, lib/rhashtable.c).
#pragma once

#include <cstdint>

#include "introspect/layout.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

class Translator;

struct RhashtableLayout {
  struct Table : LayoutOf<"rhashtable"> {
    Field<KernelVirt> buckets{*this, {"tbl"}};
  };
  struct Buckets : LayoutOf<"bucket_table"> {
    Field<std::uint32_t> size{*this, {"size"}};
    Field<std::uint32_t> nest{*this, {"nest"}};
    Field<KernelVirt> future{*this, {"future_tbl"}};
    Embedded heads{*this, {"buckets"}};
  };

  Table table;
  Buckets buckets;

  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&table, &buckets}); }
};

/// The most buckets of one table that are looked at.
inline constexpr std::size_t kMaxRhashtableBuckets = 65'536;
/// The most elements of one bucket. A table grows when it is three quarters full: chains are short.
inline constexpr std::size_t kMaxRhashtableChain = 1024;

/// The addresses of the rhash_heads linked into the table at `table`, in no order. While a table is being
/// resized its elements are spread over several bucket tables: all are read, and no element is given twice.
/// A nested bucket table (made when memory is too short for an array) is not followed: kTruncated
/// with that reason. A bucket that can't be read costs only its own elements; the first such is reported. At
/// most `cap` elements, and 2 * cap + 64 visits of elements in all.
[[nodiscard]] Walked<KernelVirt> walk_rhashtable(const Translator& memory, const RhashtableLayout& layout,
                                                 KernelVirt table, std::size_t cap = kDefaultWalkCap);

}  // namespace ktstr::introspect
