#include "introspect/bpf/program_btf.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace ktstr::introspect {
namespace {

/// What a byte of BTF takes once it is parsed: the copies on the way, and the index of names.
constexpr std::uint64_t kMemoryPerByte = 4;

Error unreadable(std::string_view what) {
  return {ErrorCode::kOutOfRange, std::string(what) + " can't be read"};
}

template <std::size_t kSize>
std::string_view text_of(const std::array<char, kSize>& characters) {
  return {characters.begin(), std::ranges::find(characters, '\0')};
}

/// Takes back a type that does not have the size of what it is to describe (map_check_btf(),
/// kernel/bpf/syscall.c).
void check_size(MapTypes& types, BtfTypeId& type, std::uint32_t bytes, std::string_view what) {
  if (type == BtfTypeId{} || types.btf->size_of(type) == bytes) return;
  if (!types.unavailable.empty()) types.unavailable += "; ";
  types.unavailable += "type " + std::to_string(static_cast<std::uint32_t>(type)) +
                       " has another size than the " + std::string(what) + " of the map";
  type = {};
}

}  // namespace

/// The kernel's own BTF is the object that btf_vmlinux points to, where that variable has a symbol and is
/// set; it must also say so of itself: one damaged pointer would else give a program's numbers the kernel's
/// types.
Result<bool> ProgramBtfCache::is_vmlinux(KernelVirt address) const {
  const auto vmlinux = kernel_.read_symbol<KernelVirt>("btf_vmlinux");
  if (vmlinux && !vmlinux->is_null() && *vmlinux != address) return false;
  const BpfBtfLayout layout = KTSTR_TRY(layouts_.btf);
  StructBytes bytes;
  if (!bytes.capture(kernel_, layout, address)) return unreadable("struct btf");
  return layout.kernel_btf.of(bytes) != 0 && text_of(layout.name.of(bytes)) == "vmlinux" &&
         layout.base_btf.of(bytes).is_null();
}

Result<std::shared_ptr<const Btf>> ProgramBtfCache::read(KernelVirt address) const {
  const BpfBtfLayout layout = KTSTR_TRY(layouts_.btf);
  if (!kernel_.plausible_pointer(address)) return corrupted("struct btf: no kernel pointer");
  if (KTSTR_TRY(is_vmlinux(address))) return kernel_.shared_btf();
  StructBytes bytes;
  if (!bytes.capture(kernel_, layout, address)) return unreadable("struct btf");
  const std::uint32_t size = layout.data_size.of(bytes);
  if (size > kMaxBytes) return corrupted("struct btf claims " + std::to_string(size) + " bytes");
  const KernelVirt base = layout.base_btf.of(bytes);
  if (!base.is_null() && !KTSTR_TRY(is_vmlinux(base)))
    return Error{ErrorCode::kUnavailable, "split over another BTF than the kernel's"};
  if (!take_from(budget_, size * kMemoryPerByte))
    return Error{ErrorCode::kUnavailable,
                 "its BTF of " + std::to_string(size) + " bytes is more than the dump has room for"};
  std::vector<std::byte> data(size);
  if (!kernel_.read_bytes(layout.data.of(bytes), data)) return unreadable("the data of struct btf");
  return std::make_shared<const Btf>(
      KTSTR_TRY(Btf::parse(data, base.is_null() ? nullptr : kernel_.shared_btf())));
}

Result<std::shared_ptr<const Btf>> ProgramBtfCache::load(KernelVirt address) {
  const std::scoped_lock lock(mutex_);
  const auto known = loaded_.find(address);
  if (known != loaded_.end()) return known->second;
  return loaded_.emplace(address, read(address)).first->second;
}

void ProgramBtfCache::forget() {
  const std::scoped_lock lock(mutex_);
  loaded_.clear();
}

MapTypes ProgramBtfCache::types_of(const BpfMapInfo& map) {
  MapTypes types;
  KernelVirt address = map.btf_kva.value_or(KernelVirt{});
  if (map.type == map_type::kStructOps) {
    const auto value_btf =
        layouts_.struct_ops ? layouts_.struct_ops->btf.read(kernel_, map.address) : std::nullopt;
    address = value_btf.value_or(KernelVirt{});
    types.value = BtfTypeId{map.btf_vmlinux_value_type_id};
  } else {
    types.key = BtfTypeId{map.btf_key_type_id};
    types.value = BtfTypeId{map.btf_value_type_id};
  }
  if (address.is_null()) {
    types.unavailable = "the map has no BTF";
    return types;
  }
  auto btf = load(address);
  if (!btf) {
    types.unavailable = btf.error().message;
    return types;
  }
  types.btf = *std::move(btf);
  check_size(types, types.key, map.key_size, "keys");
  check_size(types, types.value, map.value_size, "values");
  return types;
}

}  // namespace ktstr::introspect
