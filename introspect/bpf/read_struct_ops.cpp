// STRUCT_OPS (kernel/bpf/bpf_struct_ops.c).
#include <cstring>

#include "introspect/bpf/object_names.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

/// Puts `value` where `field` of the kernel's copy would be in `bytes`, a copy of the same type.
void put(std::vector<std::byte>& bytes, const BpfStructOpsLayout& layout, const Field<std::uint32_t>& field,
         std::uint32_t value) {
  const std::uint64_t offset = field.offset() - layout.kvalue.offset();
  if (offset + sizeof(value) <= bytes.size()) std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

/// What bpf_struct_ops_map_sys_lookup_elem() puts into the reference count: who holds the map in the kernel.
std::uint32_t users_in_kernel(const Kernel& kernel, const BpfMapLayout& layout, KernelVirt map) {
  const auto all = layout.refcnt.read(kernel, map);
  const auto by_files = layout.usercnt.read(kernel, map);
  return all && by_files && *all > *by_files ? static_cast<std::uint32_t>(*all - *by_files) : 0;
}

}  // namespace

Result<StructOpsContents> read_struct_ops(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const BpfStructOpsLayout layout = KTSTR_TRY(layouts.struct_ops);
  KTSTR_TRY(check_entry_size(context));
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, map.address)) return map_unreadable("struct bpf_struct_ops_map");
  StructOpsContents contents;
  contents.value_btf = *layout.btf.read(bytes);
  contents.state = *layout.state.read(bytes);
  contents.state_name =
      EnumNames(kernel.btf(), "bpf_struct_ops_state", "BPF_STRUCT_OPS_STATE_").name(contents.state);
  contents.refcount = *layout.refcount.read(bytes);
  contents.data_address = layout.data.address(map.address);
  contents.kernel_value.resize(map.value_size);
  if (!kernel.read_bytes(layout.kvalue.address(map.address), contents.kernel_value))
    return map_unreadable("the kernel's copy of the operations");
  contents.user_value.resize(map.value_size);
  const KernelVirt user_value = *layout.uvalue.read(bytes);
  if (!context.plausible(user_value) || !kernel.read_bytes(user_value, contents.user_value)) {
    contents.user_value.clear();
    contents.marks.missed("user space's copy of the operations can't be read");
  }
  put(contents.user_value, layout, layout.state, contents.state);
  put(contents.user_value, layout, layout.refcount, users_in_kernel(kernel, layouts.map, map.address));
  return contents;
}

}  // namespace ktstr::introspect
