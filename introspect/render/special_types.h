// Kernel and BPF types whose plain members say less than they could.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "introspect/btf.h"

namespace ktstr::introspect {

/// Where a mask's words are in a struct that is a set of CPUs.
struct CpuMaskPlace {
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
};

/// The words of struct cpumask, bpf_cpumask or scx_bitmap (typedefs seen through); nullopt for other types.
[[nodiscard]] std::optional<CpuMaskPlace> find_cpu_mask(const Btf& btf, BtfTypeId type);

/// The CPUs of a mask's words as ranges: "0-2,5". Bits from `nr_cpu_ids` on are left out unless it is 0.
[[nodiscard]] std::string cpu_list(std::span<const std::byte> words, std::size_t nr_cpu_ids);

/// How many leading 64-bit words of the BPF type's `__opaque` are addresses (kernel/bpf/helpers.c: struct
/// bpf_async_kern, bpf_list_node_kern, bpf_rb_node_kern); 0 for any other type.
[[nodiscard]] std::size_t opaque_pointers(std::string_view struct_name);

}  // namespace ktstr::introspect
