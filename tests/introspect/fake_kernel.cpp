#include "tests/introspect/fake_kernel.h"

#include <algorithm>
#include <string_view>

namespace ktstr::introspect::test {

namespace {

constexpr std::uint64_t kText = 0xffff'ffff'8100'0000;
constexpr std::uint64_t kImageBytes = 2U << 20;
constexpr std::uint64_t kPerCpuBytes = 0x2000;
constexpr std::string_view kBanner = "Linux version 7.3.4 (fake) #1 SMP\n";

std::vector<std::byte> tiny_btf() {
  FakeBtf btf;
  const int u32 = btf.integer("unsigned int", 4);
  btf.structure("rq", 8, {{"nr_running", u32, 0}, {"cpu", u32, 32}});
  return btf.bytes();
}

/// Link-time places of the image's symbols, ascending.
SymbolTable image_symbols(bool zero_based_per_cpu, std::size_t btf_bytes) {
  SymbolColumns columns;
  const std::uint64_t per_cpu = zero_based_per_cpu ? 0 : kText + 0x10'0000;
  const auto add = [&](std::uint64_t address, std::string_view name) {
    columns.add(KernelVirt(address), 'd', name);
  };
  const auto add_per_cpu = [&] {
    add(per_cpu, "__per_cpu_start");
    add(per_cpu + 0x40, "cpu_number");
    add(per_cpu + kPerCpuBytes, "__per_cpu_end");
  };
  if (zero_based_per_cpu) add_per_cpu();
  add(kText, "_text");
  add(kText + 0x1000, "schedule");
  add(kText + 0x2000, "linux_banner");
  add(kText + 0x3000, "__start_BTF");
  add(kText + 0x3000 + btf_bytes, "__stop_BTF");
  add(kText + 0x8000, "phys_base");
  add(kText + 0x8008, "page_offset_base");
  add(kText + 0x8010, "vmemmap_base");
  add(kText + 0x8018, "nr_cpu_ids");
  add(kText + 0x9000, "__per_cpu_offset");
  add(kText + 0xa000, "__cpu_possible_mask");
  add(kText + 0xa400, "__cpu_online_mask");
  add(kText + 0xb000, "init_top_pgt");
  if (!zero_based_per_cpu) add_per_cpu();
  add(kText + kImageBytes, "_end");
  return SymbolTable::build(columns);
}

}  // namespace

FakeKernel::FakeKernel(const FakeKernelShape& shape)
    : shape_(shape),
      arena_(16U << 20, shape.five_levels ? kFiveLevelPaging : kFourLevelPaging),
      page_offset_(shape.page_offset),
      btf_bytes_(tiny_btf()) {
  if (page_offset_.is_null())
    page_offset_ = KernelVirt(shape.five_levels ? 0xff33'0d80'8000'0000 : 0xffff'88e2'4000'0000);
  debug_info_ = std::make_shared<const KernelDebugInfo>(
      image_symbols(shape.zero_based_per_cpu, btf_bytes_.size()), Btf::parse(btf_bytes_).value());
  // Tables and areas are allocated above the image.
  const GuestPhys above = arena_.allocate(shape.load_address + kImageBytes);
  KTSTR_CHECK(above.value() < shape.load_address);
  process_root_ = arena_.allocate(8192, 8192);
  map_kernel(physical("init_top_pgt"));
  map_kernel(process_root_);
  if (shape.pti) {
    const GuestPhys user_root = process_root_ + 4096;
    arena_.map(user_root, KernelVirt(kText + shape.slide),
               GuestPhys(shape.load_address));  // the entry code only
    process_root_ = user_root;
  }
  fill_variables();
  fill_per_cpu_areas();
}

void FakeKernel::map_kernel(GuestPhys root) {
  constexpr std::uint64_t kLargePage = 2U << 20;
  arena_.map(root, KernelVirt(kText + shape_.slide), GuestPhys(shape_.load_address), kLargePage);
  for (std::uint64_t at = 0; at < arena_.ram().size(); at += kLargePage)
    arena_.map(root, page_offset_ + at, GuestPhys(at), kLargePage);
}

void FakeKernel::fill_variables() {
  std::memcpy(&arena_.ram()[physical("linux_banner").value()], kBanner.data(), kBanner.size());
  std::ranges::copy(btf_bytes_,
                    arena_.ram().begin() + static_cast<std::ptrdiff_t>(physical("__start_BTF").value()));
  arena_.put(physical("phys_base"),
             shape_.load_address - (kText + shape_.slide - KernelImage::kImageMapBase));
  arena_.put(physical("page_offset_base"), page_offset_);
  arena_.put(physical("vmemmap_base"), std::uint64_t{0xffff'f44d'4000'0000});
  arena_.put(physical("nr_cpu_ids"), shape_.cpus);
  arena_.put(physical("__cpu_possible_mask"), (std::uint64_t{1} << shape_.cpus) - 1);
  arena_.put(physical("__cpu_online_mask"), std::uint64_t{1});
}

void FakeKernel::fill_per_cpu_areas() {
  const std::uint64_t start = link_address("__per_cpu_start").value();
  const std::uint64_t runtime_start = shape_.zero_based_per_cpu ? start : start + shape_.slide;
  for (std::uint32_t cpu = 0; cpu < shape_.cpus; ++cpu) {
    const GuestPhys area = arena_.allocate(kPerCpuBytes, 4096);
    arena_.put(area + 0x40, cpu);
    arena_.put(physical("__per_cpu_offset") + cpu * 8, (page_offset_ + area.value()).value() - runtime_start);
  }
}

KernelVirt FakeKernel::link_address(const std::string& symbol) const {
  return debug_info_->symbols().address(symbol).value();
}

GuestPhys FakeKernel::physical(const std::string& symbol) const {
  return GuestPhys(link_address(symbol).value() - kText + shape_.load_address);
}

CpuContext FakeKernel::vcpu(bool in_user_mode) const {
  const GuestPhys root = shape_.pti && !in_user_mode ? process_root_ - 4096 : process_root_;
  CpuContext context;
  context.cr3 = root.value() | 0x5;  // some PCID
  context.cr4 = shape_.five_levels ? 1U << 12 : 0;
  context.efer = 0xd01;
  context.lstar = kText + shape_.slide + 0x40;
  return context;
}

Result<Kernel> FakeKernel::attach() const {
  const CpuContext context = vcpu();
  return Kernel::attach(memory(), debug_info_, std::span(&context, 1));
}

}  // namespace ktstr::introspect::test
