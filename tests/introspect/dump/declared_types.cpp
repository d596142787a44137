#include "tests/introspect/dump/declared_types.h"

#include <cstring>
#include <memory>
#include <string_view>

#include "introspect/bpf/map_list.h"
#include "introspect/render/render.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint32_t kMaxBtfBytes = 32U << 20;

class Reader {
 public:
  Reader(const Kernel& kernel, const BpfLayouts& layouts, KernelVirt map)
      : kernel_(kernel), layouts_(layouts), map_(map) {}

  std::optional<DeclaredTypes> read() {
    const auto& header = layouts_.map;
    const auto type = header.type.read(kernel_, map_);
    const auto bytes = kernel_.btf().size_of(kernel_.btf().find_struct("bpf_map").value());
    if (!type || !append(map_, *bytes)) return std::nullopt;
    types_.map_type = *type;
    types_.value_size = header.value_size.read(kernel_, map_).value();
    types_.max_entries = header.max_entries.read(kernel_, map_).value();
    const bool is_ops = *type == map_type::kStructOps;
    const auto btf = load(is_ops ? value_btf() : header.btf.read(kernel_, map_).value());
    const auto& value_id = is_ops ? header.btf_vmlinux_value_type_id : header.btf_value_type_id;
    types_.value = zeros(btf.get(), value_id.read(kernel_, map_).value(), types_.value_size);
    if (!is_ops)
      types_.key = zeros(btf.get(), header.btf_key_type_id.read(kernel_, map_).value(),
                         header.key_size.read(kernel_, map_).value());
    return std::move(types_);
  }

 private:
  bool append(KernelVirt address, std::size_t size) {
    const auto old = types_.source.size();
    types_.source.resize(old + size);
    const bool read = kernel_.read_bytes(address, std::span(types_.source).subspan(old));
    if (!read) types_.source.resize(old);
    return read;
  }

  KernelVirt value_btf() {
    const auto place = layouts_.struct_ops->btf.address(map_);
    append(place, sizeof(std::uint64_t));
    return kernel_.read<KernelVirt>(place).value_or(KernelVirt{});
  }

  /// What is left to go by when the variable btf_vmlinux was damaged.
  bool says_it_is_vmlinux(KernelVirt address) const {
    const auto& layout = *layouts_.btf;
    const auto name = layout.name.read(kernel_, address);
    return layout.kernel_btf.read(kernel_, address).value_or(0) != 0 && name &&
           std::string_view(name->data(), ::strnlen(name->data(), name->size())) == "vmlinux" &&
           layout.base_btf.read(kernel_, address).value_or(KernelVirt{1}).is_null();
  }

  /// The BTF object at `address`, if it can be used.
  std::shared_ptr<const Btf> load(KernelVirt address) {
    const auto vmlinux = kernel_.address("btf_vmlinux").value();
    append(vmlinux, sizeof(std::uint64_t));
    const auto& layout = *layouts_.btf;
    if (address.is_null() || !append(address, layout.size())) return nullptr;
    const auto kernels_own = kernel_.read<KernelVirt>(vmlinux);
    if (kernels_own == address) return kernel_.shared_btf();
    if (kernels_own.value_or(KernelVirt{}).is_null() && says_it_is_vmlinux(address))
      return kernel_.shared_btf();
    const auto size = layout.data_size.read(kernel_, address).value();
    const auto data = types_.source.size();
    if (size > kMaxBtfBytes || !append(layout.data.read(kernel_, address).value(), size)) return nullptr;
    const bool split = !layout.base_btf.read(kernel_, address).value().is_null();
    auto parsed = Btf::parse(std::span(types_.source).subspan(data), split ? kernel_.shared_btf() : nullptr);
    return parsed ? std::make_shared<const Btf>(*std::move(parsed)) : nullptr;
  }

  static std::optional<RenderedValue> zeros(const Btf* btf, std::uint32_t id, std::uint32_t size) {
    if (!btf || id == 0 || btf->size_of(BtfTypeId{id}) != size) return std::nullopt;
    return render_value(*btf, BtfTypeId{id}, std::vector<std::byte>(size), RenderContext());
  }

  const Kernel& kernel_;
  const BpfLayouts& layouts_;
  KernelVirt map_;
  DeclaredTypes types_;
};

}  // namespace

std::optional<DeclaredTypes> read_declared_types(const Kernel& kernel, const BpfLayouts& layouts,
                                                 KernelVirt map) {
  return Reader(kernel, layouts, map).read();
}

}  // namespace ktstr::introspect::test
