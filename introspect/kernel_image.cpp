#include "introspect/kernel_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "introspect/symbols/symbol_table.h"
#include "introspect/translator.h"

namespace ktstr::introspect {

namespace {

constexpr std::string_view kBannerStart = "Linux version ";
constexpr std::uint64_t kImageAlignment =
    2U << 20;  // the smallest CONFIG_PHYSICAL_ALIGN of x86-64; KASLR moves by multiples
constexpr std::uint64_t kImageMapSize = 1U << 30;   // KERNEL_IMAGE_SIZE: the image and any slide fit in it
constexpr std::uint64_t kLastScanned = 1ULL << 42;  // no guest has more RAM than 4 TB
constexpr std::uint64_t kCr3Root = 0x000f'ffff'ffff'f000;
constexpr std::uint64_t kCr3UserTable = 1U << 12;  // PTI: the user half of the pair (arch/x86/mm/pti.c)
constexpr std::uint64_t kCr4La57 = 1U << 12;
constexpr std::uint64_t kEferLma = 1U << 10;

/// Link-time addresses that the search needs.
struct Landmarks {
  KernelVirt text, end, banner, phys_base, page_table;
};

Result<Landmarks> find_landmarks(const SymbolTable& symbols) {
  const auto find = [&](std::string_view name) -> Result<KernelVirt> {
    const auto address = symbols.address(name);
    if (address && address->value() >= KernelImage::kImageMapBase) return *address;
    return Error{ErrorCode::kNotFound,
                 "the symbol table has no " + std::string(name) + " in the kernel image"};
  };
  Landmarks marks;
  marks.text = KTSTR_TRY(find("_text"));
  marks.end = KTSTR_TRY(find("_end"));
  marks.banner = KTSTR_TRY(find("linux_banner"));
  marks.phys_base = KTSTR_TRY(find("phys_base"));
  marks.page_table = KTSTR_TRY(find("init_top_pgt"));
  return marks;
}

bool is_banner(const PhysicalMemory& memory, GuestPhys address) {
  std::array<std::byte, kBannerStart.size()> text;
  return memory.read(address, text) && std::memcmp(text.data(), kBannerStart.data(), text.size()) == 0;
}

/// The search for one image: collects why each place was not it.
class ImageSearch {
 public:
  ImageSearch(const PhysicalMemory& memory, const Landmarks& marks) : memory_(memory), marks_(marks) {}

  std::optional<KernelImage> through_vcpu(const CpuContext& vcpu, const std::string& name);
  std::optional<KernelImage> through_scan();

  [[nodiscard]] Error failure() const {
    std::string message = "no running kernel that matches the symbols:";
    for (const std::string& attempt : attempts_) message.append(" ").append(attempt).append(";");
    message.pop_back();
    return {ErrorCode::kNotFound, std::move(message)};
  }

 private:
  /// Notes why a place was not it.
  std::nullopt_t reject(std::string why) {
    attempts_.push_back(std::move(why));
    return std::nullopt;
  }
  std::optional<KernelImage> through_table(const PageTable& table, const std::string& name);
  std::optional<KernelImage> at_physical(GuestPhys banner);
  std::optional<std::string> objection(const KernelImage& image) const;
  std::optional<std::string> register_objection(const KernelImage& image, const CpuContext& vcpu) const;
  KernelImage image_at(std::uint64_t slide, std::uint64_t phys_base, const PagingMode* mode) const;

  const PhysicalMemory& memory_;
  const Landmarks& marks_;
  std::vector<std::string> attempts_;
};

KernelImage ImageSearch::image_at(std::uint64_t slide, std::uint64_t phys_base,
                                  const PagingMode* mode) const {
  KernelImage image{slide, phys_base, marks_.text + slide, marks_.end + slide, {}, {}};
  image.page_table = {image.physical(marks_.page_table + slide), mode};
  return image;
}

/// Why `image` can't be the kernel's; its banner is known to be right.
std::optional<std::string> ImageSearch::objection(const KernelImage& image) const {
  const KernelVirt banner = marks_.banner + image.slide;
  const auto phys_base = memory_.read_value<std::uint64_t>(image.physical(marks_.phys_base + image.slide));
  if (!phys_base) return "phys_base lies outside RAM";
  if (*phys_base != image.phys_base)
    return fmt::format("phys_base is {:#x} where {:#x} is mapped", *phys_base, image.phys_base);
  const WalkResult mapped = walk_page_table(memory_, image.page_table, banner);
  if (!mapped) return "init_top_pgt: linux_banner is " + std::string(describe_fault(mapped.error().fault));
  if (mapped->address != image.physical(banner)) return "init_top_pgt maps linux_banner elsewhere";
  return std::nullopt;
}

/// The system call entry and the first interrupt gate, where given and set up, are code of the image.
std::optional<std::string> ImageSearch::register_objection(const KernelImage& image,
                                                           const CpuContext& vcpu) const {
  const KernelRange text = image.range();
  if (vcpu.lstar && *vcpu.lstar != 0 && !text.contains(KernelVirt(*vcpu.lstar)))
    return fmt::format("LSTAR {:#x} lies outside the image", *vcpu.lstar);
  if (!vcpu.idt_base) return std::nullopt;
  const Translator kernel(memory_, image.page_table);
  const auto gate = kernel.read<std::array<std::uint64_t, 2>>(KernelVirt(*vcpu.idt_base));
  if (!gate) return std::nullopt;
  // Intel SDM vol. 3A, figure 6-8: offset bits 0-15, 16-31 and 32-63 of a 16-byte gate; bit 47 of the first
  // word: present.
  const std::uint64_t handler = ((*gate)[0] & 0xffff) | ((*gate)[0] >> 32 & 0xffff'0000) | (*gate)[1] << 32;
  const bool present = (*gate)[0] >> 47 & 1;
  if (present && !text.contains(KernelVirt(handler))) return "the IDT's first gate leads outside the image";
  return std::nullopt;
}

std::optional<KernelImage> ImageSearch::through_table(const PageTable& table, const std::string& name) {
  bool mapped_any = false;
  const std::uint64_t first = marks_.banner.value() % kImageAlignment;
  for (std::uint64_t offset = first; offset < kImageMapSize; offset += kImageAlignment) {
    const KernelVirt place(KernelImage::kImageMapBase + offset);
    const WalkResult mapped = walk_page_table(memory_, table, place);
    if (!mapped) continue;
    mapped_any = true;
    if (!is_banner(memory_, mapped->address)) continue;
    KernelImage image = image_at(place - marks_.banner, mapped->address.value() - offset, table.mode);
    const auto problem = objection(image);
    if (!problem) {
      image.found_by = name;
      return image;
    }
    attempts_.push_back(fmt::format("{}: slide {:#x}: {}", name, image.slide, *problem));
  }
  return reject(name + (mapped_any ? ": no \"Linux version\" at linux_banner under any slide"
                                   : ": maps nothing where the kernel image belongs"));
}

std::optional<KernelImage> ImageSearch::through_vcpu(const CpuContext& vcpu, const std::string& name) {
  if (!(vcpu.efer & kEferLma)) return reject(name + ": not in long mode");
  const PagingMode* mode = vcpu.cr4 & kCr4La57 ? &kFiveLevelPaging : &kFourLevelPaging;
  const std::uint64_t root = vcpu.cr3 & kCr3Root;
  const auto label = fmt::format("{} (CR3 {:#x})", name, vcpu.cr3);
  auto image = through_table({GuestPhys(root), mode}, label);
  if (!image && root & kCr3UserTable)
    image = through_table({GuestPhys(root & ~kCr3UserTable), mode}, label + " without the PTI bit");
  if (!image) return std::nullopt;
  if (const auto problem = register_objection(*image, vcpu)) return reject(label + ": " + *problem);
  return image;
}

/// `banner`: a physical address that holds the banner's text. phys_base there tells the slide; init_top_pgt
/// is tried in both modes.
std::optional<KernelImage> ImageSearch::at_physical(GuestPhys banner) {
  const auto label = fmt::format("the banner at physical {:#x}", banner.value());
  const auto phys_base = memory_.read_value<std::uint64_t>(banner + (marks_.phys_base - marks_.banner));
  if (!phys_base) return reject(label + ": phys_base lies outside RAM");
  const std::uint64_t runtime = banner.value() - *phys_base + KernelImage::kImageMapBase;
  const std::uint64_t slide = runtime - marks_.banner.value();
  if (runtime < KernelImage::kImageMapBase || runtime - KernelImage::kImageMapBase >= kImageMapSize ||
      slide % kImageAlignment != 0)
    return reject(fmt::format("{}: phys_base {:#x} gives no possible slide", label, *phys_base));
  for (const PagingMode* mode : {&kFourLevelPaging, &kFiveLevelPaging}) {
    KernelImage image = image_at(slide, *phys_base, mode);
    const auto problem = objection(image);
    if (!problem) {
      image.found_by = "a scan of physical memory";
      return image;
    }
    attempts_.push_back(label + ", " + std::string(mode->name) + ": " + *problem);
  }
  return std::nullopt;
}

std::optional<KernelImage> ImageSearch::through_scan() {
  constexpr int kMaxCandidates = 16;
  int candidates = 0;
  const std::uint64_t end = std::min(memory_.end().value(), kLastScanned);
  for (std::uint64_t place = marks_.banner.value() % kImageAlignment; place < end; place += kImageAlignment) {
    if (!is_banner(memory_, GuestPhys(place))) continue;
    if (auto image = at_physical(GuestPhys(place))) return image;
    if (++candidates == kMaxCandidates) break;
  }
  if (candidates == 0)
    return reject("a scan of physical memory: no \"Linux version\" where linux_banner could be");
  return std::nullopt;
}

}  // namespace

Result<KernelImage> locate_kernel_image(const PhysicalMemory& memory, const SymbolTable& symbols,
                                        std::span<const CpuContext> vcpus) {
  constexpr std::size_t kMaxVcpusTried = 8;
  const Landmarks marks = KTSTR_TRY(find_landmarks(symbols));
  ImageSearch search(memory, marks);
  for (std::size_t i = 0; i < std::min(vcpus.size(), kMaxVcpusTried); ++i)
    if (auto image = search.through_vcpu(vcpus[i], "vCPU " + std::to_string(i))) return *std::move(image);
  if (auto image = search.through_scan()) return *std::move(image);
  return search.failure();
}

}  // namespace ktstr::introspect
