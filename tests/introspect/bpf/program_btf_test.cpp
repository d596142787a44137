#include "introspect/bpf/program_btf.h"

#include <doctest/doctest.h>

#include "introspect/bpf/map_list.h"
#include "tests/introspect/bpf/bpf_guest.h"
#include "tests/introspect/fake_btf.h"

namespace ktstr::introspect::test {
namespace {

std::vector<std::byte> program_types() {
  FakeBtf btf;
  const int u32 = btf.integer("u32", 4);
  btf.structure("fixture_record", 4, {{"count", u32, 0}});
  return btf.bytes();
}

struct TypesGuest : BpfGuest {
  KernelVirt vmlinux = memory().allocate(memory().size_of("btf"));

  TypesGuest() {
    memory().write(memory().symbol("btf_vmlinux"), vmlinux);
    set(vmlinux, "btf", "kernel_btf", std::uint8_t{1});
    set_name(place(vmlinux, "btf", "name"), "vmlinux");
  }

  [[nodiscard]] Result<std::shared_ptr<const Btf>> load(KernelVirt address) const {
    const Kernel kernel = attach();
    const BpfLayouts resolved = layouts();
    return ProgramBtfCache(kernel, resolved).load(address);
  }
};

/// Types numbered after those of the guest's kernel.
std::vector<std::byte> split_types(std::span<const std::byte> kernel_btf) {
  btf* base = btf__new(kernel_btf.data(), static_cast<std::uint32_t>(kernel_btf.size()));
  btf* split = btf__new_empty_split(base);
  const int u16 = btf__add_int(split, "u16", 2, 0);
  btf__add_struct(split, "module_record", 2);
  btf__add_field(split, "half", u16, 0, 0);
  std::uint32_t size = 0;
  const auto* data = static_cast<const std::byte*>(btf__raw_data(split, &size));
  std::vector<std::byte> bytes(data, data + size);
  btf__free(split);
  btf__free(base);
  return bytes;
}

}  // namespace

TEST_CASE("a program's BTF is read out of the guest") {
  TypesGuest guest;
  const auto types = guest.load(guest.add_btf(program_types()));
  REQUIRE(types.has_value());
  CHECK((*types)->find_struct("fixture_record").has_value());
  CHECK((*types)->base() == nullptr);
}

TEST_CASE("the kernel's own BTF object is what is known already") {
  TypesGuest guest;
  CHECK((*guest.load(guest.vmlinux))->find_struct("bpf_map").has_value());
}

TEST_CASE("split BTF sees its own types and the kernel's, under their numbers") {
  TypesGuest guest;
  const auto types =
      guest.load(guest.add_btf(split_types(guest.memory().btf().raw()), guest.vmlinux, "module"));
  REQUIRE(types.has_value());
  const Btf& btf = **types;
  REQUIRE(btf.find_struct("module_record").has_value());
  CHECK(static_cast<std::uint32_t>(*btf.find_struct("module_record")) ==
        guest.memory().btf().type_count() + 1);
  CHECK(btf.find_struct("bpf_map") == guest.memory().btf().find_struct("bpf_map"));
  CHECK(btf.member(*btf.find_struct("module_record"), "half")->size_bytes == 2);
  CHECK(btf.base() != nullptr);
  CHECK(btf.type_count() == guest.memory().btf().type_count() + 2);
}

TEST_CASE("split BTF over another base is refused") {
  TypesGuest guest;
  const KernelVirt base = guest.add_btf(program_types());
  CHECK(guest.load(guest.add_btf(program_types(), base)).error().message ==
        "split over another BTF than the kernel's");
}

TEST_CASE("a size beyond the cap, data that can't be read and damaged data are refused") {
  TypesGuest guest;
  const KernelVirt large = guest.add_btf(program_types());
  guest.set(large, "btf", "data_size", ProgramBtfCache::kMaxBytes + 1);
  CHECK(guest.load(large).error().code == ErrorCode::kCorrupt);
  const KernelVirt gone = guest.add_btf(program_types());
  guest.set(gone, "btf", "data", BpfGuest::kUnmapped);
  CHECK(guest.load(gone).error().code == ErrorCode::kOutOfRange);
  auto damaged = program_types();
  damaged[0] = std::byte{0};
  CHECK(guest.load(guest.add_btf(damaged)).error().code == ErrorCode::kCorrupt);
  CHECK(guest.load(KernelVirt(0x1000)).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a program's BTF is not taken for the kernel's when btf_vmlinux is overwritten with its address") {
  TypesGuest guest;
  const KernelVirt program = guest.add_btf(program_types());
  guest.memory().write(guest.memory().symbol("btf_vmlinux"), program);
  CHECK((*guest.load(program))->find_struct("fixture_record").has_value());
}

TEST_CASE("one object is loaded once, and anew after forget()") {
  TypesGuest guest;
  const KernelVirt object = guest.add_btf(program_types());
  const Kernel kernel = guest.attach();
  const BpfLayouts layouts = guest.layouts();
  ProgramBtfCache cache(kernel, layouts);
  const auto first = cache.load(object).value();
  guest.set(object, "btf", "data_size", std::uint32_t{3});
  CHECK(cache.load(object).value() == first);
  cache.forget();
  CHECK_FALSE(cache.load(object).has_value());
}

TEST_CASE("a map's ids are never looked up in another BTF") {
  TypesGuest guest;
  const KernelVirt plain = guest.add_array({"plain", map_type::kArray}, {});
  const KernelVirt typed = guest.add_array({"typed", map_type::kArray, 4, 4}, {});
  const KernelVirt broken = guest.add_array({"broken", map_type::kArray}, {});
  const KernelVirt operations = guest.add_map("bpf_struct_ops_map", {"ops", map_type::kStructOps});
  guest.set(typed, "bpf_map", "btf", guest.add_btf(program_types()));
  guest.set(typed, "bpf_map", "btf_value_type_id", std::uint32_t{2});
  guest.set(broken, "bpf_map", "btf", BpfGuest::kUnmapped);
  guest.set(broken, "bpf_map", "btf_value_type_id", std::uint32_t{2});
  guest.set(operations, "bpf_map", "btf", guest.add_btf(program_types()));
  const BtfTypeId of_kernel = *guest.memory().btf().find_struct("sched_ext_ops");
  guest.set(operations, "bpf_map", "btf_vmlinux_value_type_id", of_kernel);
  guest.set(operations, "bpf_map", "value_size",
            static_cast<std::uint32_t>(*guest.memory().btf().size_of(of_kernel)));
  guest.set(operations, "bpf_struct_ops_map", "btf", guest.vmlinux);
  const Kernel kernel = guest.attach();
  const BpfLayouts layouts = guest.layouts();
  ProgramBtfCache cache(kernel, layouts);
  CHECK(cache.types_of(guest.info(plain)).unavailable == "the map has no BTF");
  const MapTypes types = cache.types_of(guest.info(typed));
  CHECK(types.btf->name_of(types.value) == "fixture_record");
  CHECK(cache.types_of(guest.info(broken)).btf == nullptr);
  CHECK(cache.types_of(guest.info(broken)).unavailable == "struct btf can't be read");
  const MapTypes of_operations = cache.types_of(guest.info(operations));
  CHECK(of_operations.btf.get() == &kernel.btf());
  CHECK(of_operations.value == of_kernel);
}

TEST_CASE("a type of another size than a map's keys or values is not believed") {
  TypesGuest guest;
  const KernelVirt map = guest.add_array({"map", map_type::kArray, 4, 8}, {});
  guest.set(map, "bpf_map", "btf", guest.add_btf(program_types()));
  guest.set(map, "bpf_map", "btf_key_type_id", std::uint32_t{1});
  guest.set(map, "bpf_map", "btf_value_type_id", std::uint32_t{2});
  const Kernel kernel = guest.attach();
  const BpfLayouts layouts = guest.layouts();
  const MapTypes types = ProgramBtfCache(kernel, layouts).types_of(guest.info(map));
  CHECK(types.key == BtfTypeId{1});
  CHECK(types.value == BtfTypeId{});
  CHECK(types.unavailable == "type 2 has another size than the values of the map");
}

}  // namespace ktstr::introspect::test
