#include "introspect/bpf/map_list.h"

#include "introspect/bpf/object_names.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

/// Reads map headers with one buffer and one table of type names.
class MapHeaders {
 public:
  MapHeaders(const Kernel& kernel, const BpfMapLayout& layout)
      : kernel_(kernel), layout_(layout), types_(kernel.btf(), "bpf_map_type", "BPF_MAP_TYPE_") {}

  Result<BpfMapInfo> read(KernelVirt address) {
    if (!kernel_.plausible_pointer(address)) return corrupted("no kernel pointer");
    if (!bytes_.capture(kernel_, layout_, address))
      return Error{ErrorCode::kOutOfRange, "in memory that can't be read"};
    BpfMapInfo map;
    map.address = address;
    map.type = layout_.type.of(bytes_);
    const auto type_name = types_.find(map.type);
    if (map.type == 0 || (!types_.empty() && !type_name))
      return corrupted("map type " + std::to_string(map.type) + " does not exist");
    map.type_name = types_.name(map.type);
    if (!served_as_its_type(map.type))
      return corrupted("its operations are not those of type " + map.type_name);
    auto name = bpf_object_name(layout_.name.of(bytes_));
    if (!name) return corrupted("a name that no map can have");
    map.name = *std::move(name);
    fill_numbers(map);
    return map;
  }

 private:
  /// One damaged word is then not enough to have a map read as another type. What can't be compared passes.
  [[nodiscard]] bool served_as_its_type(std::uint32_t type) const {
    const auto operations = layout_.operations.read(bytes_);
    const auto expected = kernel_.address(map_operations(type));
    return !operations || !expected || *operations == *expected;
  }

  void fill_numbers(BpfMapInfo& map) const {
    map.id = layout_.id.of(bytes_);
    map.key_size = layout_.key_size.of(bytes_);
    map.value_size = layout_.value_size.of(bytes_);
    map.max_entries = layout_.max_entries.of(bytes_);
    map.map_flags = layout_.flags.of(bytes_);
    map.map_extra = layout_.extra.read(bytes_).value_or(0);
    map.frozen = layout_.frozen.read(bytes_).value_or(0) != 0;
    const auto btf = layout_.btf.read(bytes_);
    if (btf && !btf->is_null()) map.btf_kva = btf;
    map.btf_key_type_id = layout_.btf_key_type_id.read(bytes_).value_or(0);
    map.btf_value_type_id = layout_.btf_value_type_id.read(bytes_).value_or(0);
    map.btf_vmlinux_value_type_id = layout_.btf_vmlinux_value_type_id.read(bytes_).value_or(0);
  }

  const Kernel& kernel_;
  const BpfMapLayout& layout_;
  EnumNames types_;
  StructBytes bytes_;
};

}  // namespace

Result<MapWalk> list_bpf_maps(const Kernel& kernel, const BpfLayouts& layouts) {
  return walk_bpf_objects<BpfMapInfo>(kernel, layouts, "map_idr", MapHeaders(kernel, layouts.map));
}

Result<BpfMapInfo> read_map_info(const Kernel& kernel, const BpfLayouts& layouts, KernelVirt address) {
  return MapHeaders(kernel, layouts.map).read(address);
}

}  // namespace ktstr::introspect
