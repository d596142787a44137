// What a map's header and its BTF in guest memory declare, read apart from the dump.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "introspect/bpf/layouts.h"
#include "introspect/kernel.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::introspect::test {

struct DeclaredTypes {
  /// Every byte of the guest that decides how the map is shown: struct bpf_map, and the struct btf and data
  /// that its types are numbers in.
  std::vector<std::byte> source;
  std::uint32_t map_type = 0;
  std::uint32_t value_size = 0;
  std::uint32_t max_entries = 0;
  /// A key and a value of zeros as their types show them; absent when the map declares no type of its size.
  std::optional<RenderedValue> key{};
  std::optional<RenderedValue> value{};
};

/// nullopt: the map's header can't be read.
[[nodiscard]] std::optional<DeclaredTypes> read_declared_types(const Kernel& kernel,
                                                               const BpfLayouts& layouts, KernelVirt map);

}  // namespace ktstr::introspect::test
