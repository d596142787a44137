#include "tests/introspect/bpf/bpf_guest.h"

#include <algorithm>
#include <bit>

#include "tests/introspect/bpf/bpf_btf.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint64_t kNodeTag = 2;  // an XArray's pointer to a node
constexpr std::uint64_t kElementValueOffset = 8;

std::uint64_t padded_size(std::uint64_t bytes) {
  return (bytes + 7) & ~std::uint64_t{7};
}

}  // namespace

BpfGuest::BpfGuest() : guest_(bpf_kernel_btf(), kCpus) {
  for (const char* name : {"map_idr", "prog_idr"}) {
    const KernelVirt idr = guest_.add_symbol(name, guest_.size_of("idr"));
    const KernelVirt node = guest_.allocate(guest_.size_of("xa_node"));
    guest_.set(idr, "idr", "idr_rt.xa_head", node.value() + kNodeTag);
  }
  guest_.add_symbol("btf_vmlinux", 8);
  guest_.add_symbol("bpf_stats_enabled_key", 8);
}

KernelVirt BpfGuest::place(KernelVirt base, std::string_view structure, std::string_view path) const {
  const Btf& btf = guest_.btf();
  return base + btf.member(*btf.find_struct(structure), path).value().byte_offset();
}

void BpfGuest::set_name(KernelVirt at, std::string_view name) {
  std::memcpy(guest_.at(at), name.data(), name.size());
}

void BpfGuest::link(const std::string& idr, std::uint32_t id, KernelVirt object) {
  KTSTR_CHECK(id < 64);
  const auto head = get<std::uint64_t>(place(guest_.symbol(idr), "idr", "idr_rt.xa_head"));
  guest_.write(place(KernelVirt(head - kNodeTag), "xa_node", "slots") + id * std::uint64_t{8}, object);
}

KernelVirt BpfGuest::add_map(const std::string& structure, const MapShape& shape, std::size_t tail) {
  const KernelVirt map = guest_.allocate(guest_.size_of(structure) + tail);
  set(map, "bpf_map", "map_type", shape.type);
  set(map, "bpf_map", "key_size", shape.key_size);
  set(map, "bpf_map", "value_size", shape.value_size);
  set(map, "bpf_map", "max_entries", shape.max_entries);
  set(map, "bpf_map", "id", ++maps_);
  set_name(place(map, "bpf_map", "name"), shape.name);
  link("map_idr", maps_, map);
  return map;
}

KernelVirt BpfGuest::add_program(const std::string& name, std::uint32_t type,
                                 const std::vector<KernelVirt>& used_maps) {
  const KernelVirt prog = guest_.allocate(guest_.size_of("bpf_prog"));
  const KernelVirt aux = guest_.allocate(guest_.size_of("bpf_prog_aux"));
  const KernelVirt maps = guest_.allocate(used_maps.size() * sizeof(KernelVirt) + 1);
  for (std::size_t i = 0; i < used_maps.size(); ++i)
    guest_.write(maps + i * sizeof(KernelVirt), used_maps[i]);
  set(prog, "bpf_prog", "type", type);
  set(prog, "bpf_prog", "aux", aux);
  set(prog, "bpf_prog", "stats", guest_.allocate_per_cpu(guest_.size_of("bpf_prog_stats")));
  set(aux, "bpf_prog_aux", "id", ++programs_);
  set(aux, "bpf_prog_aux", "prog", prog);
  set(aux, "bpf_prog_aux", "used_maps", maps);
  set(aux, "bpf_prog_aux", "used_map_cnt", static_cast<std::uint32_t>(used_maps.size()));
  set(aux, "bpf_prog_aux", "attach_btf_id",
      static_cast<std::uint32_t>(*guest_.btf().find_struct("sched_ext_ops")));
  set_name(place(aux, "bpf_prog_aux", "name"), name);
  link("prog_idr", programs_, prog);
  return prog;
}

KernelVirt BpfGuest::add_btf(std::span<const std::byte> bytes, KernelVirt base, std::string_view name) {
  const KernelVirt object = guest_.allocate(guest_.size_of("btf"));
  const KernelVirt data = guest_.allocate(bytes.size());
  std::ranges::copy(bytes, guest_.at(data));
  set(object, "btf", "data", data);
  set(object, "btf", "data_size", static_cast<std::uint32_t>(bytes.size()));
  set(object, "btf", "base_btf", base);
  set_name(place(object, "btf", "name"), name);
  return object;
}

KernelVirt BpfGuest::add_array(const MapShape& shape, const std::vector<std::uint64_t>& values) {
  const std::uint64_t stride = padded_size(shape.value_size);
  const KernelVirt map = add_map("bpf_array", shape, stride * shape.max_entries);
  set(map, "bpf_array", "elem_size", static_cast<std::uint32_t>(stride));
  set(map, "bpf_array", "index_mask", std::bit_ceil(shape.max_entries) - 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    guest_.write(place(map, "bpf_array", "value") + i * stride, values[i]);
  return map;
}

KernelVirt BpfGuest::add_hash(const MapShape& shape) {
  const KernelVirt map = add_map("bpf_htab", shape);
  const std::uint32_t count = std::bit_ceil(shape.max_entries);
  set(map, "bpf_htab", "buckets", guest_.allocate(count * guest_.size_of("bucket")));
  set(map, "bpf_htab", "n_buckets", count);
  set(map, "bpf_htab", "elem_size",
      static_cast<std::uint32_t>(guest_.size_of("htab_elem") + padded_size(shape.key_size) +
                                 kElementValueOffset));
  for (std::uint32_t i = 0; i < count; ++i) guest_.write(bucket(map, i), std::uint64_t{i} << 1 | 1);
  return map;
}

KernelVirt BpfGuest::bucket(KernelVirt table, std::uint32_t index) {
  return get<KernelVirt>(place(table, "bpf_htab", "buckets")) + index * guest_.size_of("bucket");
}

KernelVirt BpfGuest::add_element(KernelVirt table, std::uint32_t hash, std::uint32_t key,
                                 std::uint64_t value) {
  const auto buckets = get<std::uint32_t>(place(table, "bpf_htab", "n_buckets"));
  const KernelVirt head = bucket(table, hash & (buckets - 1));
  const KernelVirt node = guest_.allocate(guest_.size_of("htab_elem") + 16);
  set(node, "htab_elem", "hash_node.next", get<KernelVirt>(head));
  set(node, "htab_elem", "hash", hash);
  guest_.write(place(node, "htab_elem", "key"), key);
  guest_.write(place(node, "htab_elem", "key") + kElementValueOffset, value);
  guest_.write(head, node);
  return node;
}

BpfMapInfo BpfGuest::info(KernelVirt map) const {
  return read_map_info(attach(), layouts(), map).value();
}

}  // namespace ktstr::introspect::test
