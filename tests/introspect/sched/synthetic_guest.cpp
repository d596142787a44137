#include "tests/introspect/sched/synthetic_guest.h"

#include "introspect/symbols/symbol_table.h"
#include "tests/introspect/sched/synthetic_btf.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint64_t kLargePage = 2U << 20;
constexpr KernelVirt kImage(0xffff'ffff'8100'0000);
constexpr std::uint64_t kImagePhysical = kLargePage;
constexpr std::uint64_t kHeapPhysical = 2 * kLargePage;
constexpr KernelVirt kDirectMap(0xffff'8880'0000'0000);
constexpr std::uint64_t kAreaBytes = 16U << 10;
constexpr std::uint64_t kPresentWritable = 0x63;
constexpr std::uint64_t kLargeLeaf = kPresentWritable | 0x80;
constexpr std::string_view kBanner = "Linux version 9.9.9-synthetic\n";

}  // namespace

SyntheticGuest::SyntheticGuest(std::vector<std::byte> btf, std::size_t cpus, std::size_t ram_bytes)
    : btf_bytes_(std::move(btf)),
      btf_(Btf::parse(btf_bytes_).value()),
      cpus_(cpus),
      ram_(align_up(ram_bytes, kLargePage)),
      memory_({{GuestPhys(0), ram_}}) {
  add_symbol("_text", 64);
  write(add_symbol("phys_base", 8), kImagePhysical - (kImage.value() - KernelImage::kImageMapBase));
  std::memcpy(at(add_symbol("linux_banner", 64)), kBanner.data(), kBanner.size());
  build_page_tables();
  build_per_cpu_areas();
}

void SyntheticGuest::build_page_tables() {
  image_used_ = align_up(image_used_, 4096);
  const auto root = add_symbol("init_top_pgt", 4096);
  const auto physical = [](KernelVirt address) { return address - kImage + kImagePhysical; };
  const auto table = [&](KernelVirt parent, std::uint64_t index, const char* name) {
    const auto child = add_symbol(name, 4096);
    write(parent + index * 8, physical(child) | kPresentWritable);
    return child;
  };
  const auto direct_map = table(table(root, kDirectMap.value() >> 39 & 511, "direct_pud"), 0, "direct_pmd");
  for (std::uint64_t page = 0; page < ram_.size() / kLargePage; ++page)
    write(direct_map + page * 8, page * kLargePage | kLargeLeaf);
  const auto image =
      table(table(root, kImage.value() >> 39 & 511, "image_pud"), kImage.value() >> 30 & 511, "image_pmd");
  write(image + (kImage.value() >> 21 & 511) * 8, kImagePhysical | kLargeLeaf);
}

void SyntheticGuest::build_per_cpu_areas() {
  write(add_symbol("nr_cpu_ids", 4), static_cast<std::uint32_t>(cpus_));
  const auto offsets = add_symbol("__per_cpu_offset", cpus_ * 8);
  const auto possible = add_symbol("__cpu_possible_mask", 1024);
  const auto online = add_symbol("__cpu_online_mask", 1024);
  per_cpu_start_ = add_symbol("__per_cpu_start", kAreaBytes);
  symbols_["__per_cpu_end"] = per_cpu_start_ + kAreaBytes;
  for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
    areas_.push_back(allocate(kAreaBytes));
    write(offsets + cpu * 8, areas_[cpu] - per_cpu_start_);
    *at(possible + cpu / 8) |= std::byte{1} << (cpu % 8);
    *at(online + cpu / 8) |= std::byte{1} << (cpu % 8);
  }
}

KernelVirt SyntheticGuest::add_symbol(const std::string& name, std::size_t bytes) {
  const auto address = kImage + image_used_;
  image_used_ = align_up(image_used_ + bytes, 64);
  KTSTR_CHECK(image_used_ < kLargePage);
  symbols_[name] = address;
  return address;
}

KernelVirt SyntheticGuest::add_per_cpu_symbol(const std::string& name, std::size_t bytes) {
  return symbols_[name] = allocate_per_cpu(bytes);
}

KernelVirt SyntheticGuest::allocate(std::size_t bytes) {
  const auto address = kDirectMap + kHeapPhysical + heap_used_;
  heap_used_ = align_up(heap_used_ + bytes, 64);
  KTSTR_CHECK(kHeapPhysical + heap_used_ <= ram_.size());
  return address;
}

KernelVirt SyntheticGuest::allocate_per_cpu(std::size_t bytes) {
  const auto pointer = per_cpu_start_ + per_cpu_used_;
  per_cpu_used_ = align_up(per_cpu_used_ + bytes, 64);
  KTSTR_CHECK(per_cpu_used_ <= kAreaBytes);
  return pointer;
}

KernelVirt SyntheticGuest::per_cpu(KernelVirt pointer, std::size_t cpu) const {
  return areas_[cpu] + (pointer - per_cpu_start_);
}

std::byte* SyntheticGuest::at(KernelVirt address) {
  const auto physical = address >= kImage ? address - kImage + kImagePhysical : address - kDirectMap;
  KTSTR_CHECK(physical < ram_.size());
  return ram_.data() + physical;
}

std::size_t SyntheticGuest::size_of(std::string_view structure) const {
  return btf_.size_of(*btf_.find_struct(structure)).value();
}

KernelVirt SyntheticGuest::add_string(std::string_view text) {
  const auto address = allocate(text.size() + 1);
  std::memcpy(at(address), text.data(), text.size());
  return address;
}

Kernel SyntheticGuest::attach(const PhysicalMemory& memory) const {
  std::vector<std::pair<std::string, KernelVirt>> named(symbols_.begin(), symbols_.end());
  named.emplace_back("_end", kImage + kLargePage);
  std::ranges::sort(named, {}, [](const auto& symbol) { return symbol.second; });
  SymbolColumns columns;
  for (const auto& [name, address] : named) columns.add(address, 'D', name);
  auto info =
      std::make_shared<const KernelDebugInfo>(SymbolTable::build(columns), Btf::parse(btf_bytes_).value());
  auto kernel = Kernel::attach(memory, std::move(info), {});
  KTSTR_CHECK(kernel.has_value());
  return std::move(*kernel);
}

}  // namespace ktstr::introspect::test
