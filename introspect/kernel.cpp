#include "introspect/kernel.h"

#include <algorithm>

#include "introspect/symbols/symbol_table.h"
#include "introspect/translator.h"

namespace ktstr::introspect {

namespace {

constexpr std::size_t kBannerCap = 512;

/// Where a kernel without CONFIG_DYNAMIC_MEMORY_LAYOUT has its direct map and vmemmap
/// (Documentation/arch/x86/x86_64/mm.rst).
struct FixedLayout {
  KernelVirt page_offset;
  KernelVirt vmemmap_base;
};
constexpr FixedLayout kFourLevelLayout{KernelVirt(0xffff'8880'0000'0000), KernelVirt(0xffff'ea00'0000'0000)};
constexpr FixedLayout kFiveLevelLayout{KernelVirt(0xff11'0000'0000'0000), KernelVirt(0xffd4'0000'0000'0000)};

}  // namespace

KernelDebugInfo::KernelDebugInfo(SymbolTable symbols, Btf btf)
    : symbols_(std::make_unique<const SymbolTable>(std::move(symbols))), btf_(std::move(btf)) {}

KernelDebugInfo::~KernelDebugInfo() = default;

Result<std::shared_ptr<const KernelDebugInfo>> KernelDebugInfo::load(
    const std::filesystem::path& symbols_file, const std::filesystem::path& btf_file) {
  SymbolTable symbols = KTSTR_TRY(SymbolTable::load(symbols_file));
  Btf btf = KTSTR_TRY(Btf::load(btf_file));
  return std::make_shared<const KernelDebugInfo>(std::move(symbols), std::move(btf));
}

Kernel::Kernel(const PhysicalMemory& memory, std::shared_ptr<const KernelDebugInfo> debug_info,
               KernelImage image)
    : debug_info_(std::move(debug_info)),
      image_(std::move(image)),
      translator_(std::make_shared<Translator>(memory, image_.page_table, std::vector{image_.range()})) {}

Result<Kernel> Kernel::attach(const PhysicalMemory& memory, std::shared_ptr<const KernelDebugInfo> debug_info,
                              std::span<const CpuContext> vcpus) {
  KernelImage image = KTSTR_TRY(locate_kernel_image(memory, debug_info->symbols(), vcpus));
  Kernel kernel(memory, std::move(debug_info), std::move(image));
  KTSTR_TRY(kernel.check_build());
  KTSTR_TRY(kernel.find_direct_map());
  KTSTR_TRY(kernel.read_cpus());
  const KernelVirt banner = KTSTR_TRY(kernel.address("linux_banner"));
  kernel.banner_ = kernel.read_c_string(banner, kBannerCap).value_or("");
  while (kernel.banner_.ends_with('\n')) kernel.banner_.pop_back();
  return kernel;
}

Kernel Kernel::of_still_guest() const {
  Kernel kernel(*this);
  kernel.translator_ = std::make_shared<Translator>(translator_->of_still_guest());
  return kernel;
}

/// A kernel carries its own BTF: the debug info is of the same build only if both agree at either end.
Status Kernel::check_build() const {
  constexpr std::size_t kCompared = 4096;
  const auto start = address("__start_BTF");
  const auto stop = address("__stop_BTF");
  if (!start || !stop) return ok();
  const std::span<const std::byte> expected = btf().raw();
  bool same = *stop - *start == expected.size();
  for (const bool from_end : {false, true}) {
    const std::size_t length = std::min(kCompared, expected.size());
    const std::size_t offset = from_end ? expected.size() - length : 0;
    std::vector<std::byte> actual(length);
    same = same && read_bytes(*start + offset, actual) &&
           std::ranges::equal(actual, expected.subspan(offset, length));
  }
  if (same) return ok();
  return corrupted("the guest's own BTF differs from the debug info: not the same kernel build");
}

bool Kernel::read_bytes(KernelVirt address, std::span<std::byte> out) const {
  return translator_->read_bytes(address, out);
}

std::optional<std::string> Kernel::read_c_string(KernelVirt address, std::size_t cap) const {
  return translator_->read_c_string(address, cap);
}

Status Kernel::find_direct_map() {
  const bool five_levels = image_.page_table.mode == &kFiveLevelPaging;
  const FixedLayout& fixed = five_levels ? kFiveLevelLayout : kFourLevelLayout;
  const bool movable = symbols().address("page_offset_base").has_value();
  page_offset_ = movable ? KTSTR_TRY(read_symbol<KernelVirt>("page_offset_base")) : fixed.page_offset;
  vmemmap_base_ = movable ? KTSTR_TRY(read_symbol<KernelVirt>("vmemmap_base")) : fixed.vmemmap_base;
  const GuestPhys inside = image_.physical(image_.begin);
  const WalkResult mapped = translator_->translate(direct_map(inside));
  if (!mapped || mapped->address != inside)
    return Error{ErrorCode::kCorrupt, "page_offset_base does not lead to a direct map of physical memory"};
  const PhysicalMemory& memory = translator_->memory();
  const KernelRange all_memory{page_offset_, direct_map(memory.end())};
  translator_ =
      std::make_shared<Translator>(memory, image_.page_table, std::vector{image_.range(), all_memory});
  return ok();
}

Status Kernel::read_cpus() {
  const std::uint32_t count = KTSTR_TRY(read_symbol<std::uint32_t>("nr_cpu_ids"));
  if (count == 0 || count > CpuSet::kCapacity)
    return Error{ErrorCode::kCorrupt, "nr_cpu_ids is " + std::to_string(count)};
  per_cpu_offsets_.resize(count);
  const KernelVirt offsets = KTSTR_TRY(address("__per_cpu_offset"));
  if (!read_bytes(offsets, std::as_writable_bytes(std::span(per_cpu_offsets_))))
    return unreadable("__per_cpu_offset");
  const auto possible = read_cpu_mask(KTSTR_TRY(address("__cpu_possible_mask")));
  if (!possible) return unreadable("__cpu_possible_mask");
  possible_cpus_ = *possible;
  std::vector<std::uint64_t> areas;
  for (const std::size_t cpu : possible_cpus_.to_vector()) areas.push_back(per_cpu_offsets_[cpu]);
  std::ranges::sort(areas);
  if (areas.empty() || std::ranges::adjacent_find(areas) != areas.end())
    return Error{ErrorCode::kUnavailable, "the guest has not set up its per-CPU areas yet"};
  return ok();
}

Error Kernel::unreadable(std::string_view symbol) {
  return {ErrorCode::kOutOfRange, std::string(symbol) + " lies in memory that is not mapped"};
}

Result<KernelVirt> Kernel::address(std::string_view symbol) const {
  const auto linked = symbols().address(symbol);
  if (!linked) return Error{ErrorCode::kNotFound, "no symbol " + std::string(symbol)};
  // Below the image only zero-based per-CPU symbols are found, and KASLR does not move those.
  return linked->value() < KernelImage::kImageMapBase ? *linked : *linked + image_.slide;
}

Result<KernelVirt> Kernel::per_cpu(std::string_view symbol, std::size_t cpu) const {
  const KernelVirt pointer = KTSTR_TRY(address(symbol));
  const auto begin = address("__per_cpu_start");
  const auto end = address("__per_cpu_end");
  if (begin && end && !KernelRange{*begin, *end}.contains(pointer))
    return Error{ErrorCode::kInvalidArgument, std::string(symbol) + " is not a per-CPU symbol"};
  return per_cpu(pointer, cpu);
}

Result<KernelVirt> Kernel::per_cpu(KernelVirt pointer, std::size_t cpu) const {
  if (!possible_cpus_.contains(cpu))
    return Error{ErrorCode::kOutOfRange, "CPU " + std::to_string(cpu) + " is not possible in this guest"};
  return pointer + per_cpu_offsets_[cpu];
}

std::optional<CpuSet> Kernel::online_cpus() const {
  const auto mask = address("__cpu_online_mask");
  return mask ? read_cpu_mask(*mask) : std::nullopt;
}

std::optional<CpuSet> Kernel::read_cpu_mask(KernelVirt address) const {
  std::vector<std::uint64_t> words((nr_cpu_ids() + 63) / 64);
  if (!read_bytes(address, std::as_writable_bytes(std::span(words)))) return std::nullopt;
  CpuSet cpus;
  for (std::size_t cpu = 0; cpu < nr_cpu_ids(); ++cpu)
    if (words[cpu / 64] >> (cpu % 64) & 1) cpus.add(cpu);
  return cpus;
}

std::optional<NamedAddress> Kernel::symbolize(KernelVirt address) const {
  if (!image_.range().contains(address)) return std::nullopt;
  const auto nearest = symbols().nearest(address - image_.slide);
  if (!nearest) return std::nullopt;
  return NamedAddress{nearest->symbol.name, nearest->offset_bytes};
}

}  // namespace ktstr::introspect
