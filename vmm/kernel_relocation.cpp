#include "vmm/kernel_relocation.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/base/io.h"

namespace ktstr::vmm {
namespace {

constexpr std::size_t kHugePage = 2 * 1024 * 1024;

constexpr std::uint64_t kKernelMap = 0xffffffff80000000;  // __START_KERNEL_map
constexpr std::uint64_t kPage = 4096;

/// Unchanged pages between changed ones that are copied with them: fewer are not worth a piece.
constexpr std::size_t kSmallGap = 64;

std::vector<std::int32_t> words_behind(const KernelElf& kernel) {
  std::vector<std::int32_t> words((kernel.file.size() - kernel.end) / sizeof(std::int32_t));
  if (!words.empty())
    std::memcpy(words.data(), kernel.file.data() + kernel.end, words.size() * sizeof(std::int32_t));
  return words;
}

/// A segment's pages, counted from its first byte: which are changed, and where their copies begin.
struct SegmentPages {
  std::span<const std::byte> file;
  std::uint64_t address = 0;  ///< physical
  std::vector<bool> changed;
  std::vector<std::byte*> copies;  ///< of each page; nullptr where it is not changed

  explicit SegmentPages(const KernelElf& kernel, const Elf64_Phdr& segment)
      : file(kernel.file.subspan(segment.p_offset, segment.p_filesz)),
        address(segment.p_paddr),
        changed((segment.p_filesz + kPage - 1) / kPage) {}

  [[nodiscard]] bool has(std::uint64_t at, std::size_t bytes) const {
    return at >= address && at - address <= file.size() && bytes <= file.size() - (at - address);
  }
  [[nodiscard]] std::size_t page_of(std::uint64_t at) const { return (at - address) / kPage; }
  /// The bytes of pages [first, last).
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t first, std::size_t last) const {
    const auto begin = first * kPage;
    return file.subspan(begin, std::min<std::size_t>(last * kPage, file.size()) - begin);
  }
};

class Slider {
 public:
  explicit Slider(const KernelElf& kernel) : kernel_(kernel) {
    for (const auto& segment : kernel.segments) segments_.emplace_back(kernel, segment);
  }

  template <class T>
  Status mark(std::span<const std::int32_t> links) {
    for (const auto link : links) {
      const auto at = address_of(link);
      auto* segment = find(at, sizeof(T));
      if (!segment) return corrupted("kernel ELF: a relocation lies outside the kernel");
      segment->changed[segment->page_of(at)] = true;
      segment->changed[segment->page_of(at + sizeof(T) - 1)] = true;
    }
    return ok();
  }

  /// Divides the segments into what is changed and what is not, and copies the former.
  Result<LargeBuffer> copy_changed() {
    std::size_t total = 0;
    for (auto& segment : segments_) {
      fill_small_gaps(segment.changed);
      total += static_cast<std::size_t>(std::ranges::count(segment.changed, true)) * kPage;
    }
    auto buffer = KTSTR_TRY(LargeBuffer::create(total));
    auto free = buffer.bytes();
    for (std::size_t i = 0; i < segments_.size(); ++i) KTSTR_TRY(divide(i, free));
    return buffer;
  }

  /// Adds `slide` to the T at each address. Precondition: they are marked, and copy_changed() was called.
  template <class T>
  void relocate(std::span<const std::int32_t> links, T slide) {
    for (const auto link : links) {
      const auto at = address_of(link);
      const auto* segment = find(at, sizeof(T));
      auto* place = segment->copies[segment->page_of(at)] + (at - segment->address) % kPage;
      T value;
      std::memcpy(&value, place, sizeof(value));
      value += slide;
      std::memcpy(place, &value, sizeof(value));
    }
  }

  std::vector<KernelPiece> take_pieces() { return std::move(pieces_); }

 private:
  static std::uint64_t address_of(std::int32_t link) {
    return static_cast<std::uint64_t>(std::int64_t{link}) - kKernelMap;
  }

  SegmentPages* find(std::uint64_t at, std::size_t bytes) {
    const auto found =
        std::ranges::find_if(segments_, [&](const SegmentPages& pages) { return pages.has(at, bytes); });
    return found == segments_.end() ? nullptr : &*found;
  }

  static void fill_small_gaps(std::vector<bool>& changed) {
    auto begin = changed.begin();
    while (true) {
      begin = std::find(std::find(begin, changed.end(), true), changed.end(), false);
      const auto end = std::find(begin, changed.end(), true);
      if (end == changed.end()) return;
      if (static_cast<std::size_t>(end - begin) < kSmallGap) std::fill(begin, end, true);
      begin = end;
    }
  }

  /// Takes the copies' memory from the front of `free`.
  Status divide(std::size_t index, std::span<std::byte>& free) {
    auto& segment = segments_[index];
    segment.copies.resize(segment.changed.size());
    for (std::size_t first = 0, last = 0; first < segment.changed.size(); first = last) {
      const bool changed = segment.changed[first];
      last = first;
      while (last < segment.changed.size() && segment.changed[last] == changed) {
        if (changed) segment.copies[last] = free.data() + (last - first) * kPage;
        ++last;
      }
      const auto bytes = segment.bytes(first, last);
      if (changed) KTSTR_TRY(copy(bytes, free));
      pieces_.push_back(
          {index, first * kPage, changed ? std::span<const std::byte>(free.first(bytes.size())) : bytes});
      if (changed) free = free.subspan((last - first) * kPage);
    }
    return ok();
  }

  /// `bytes` is of the kernel's file.
  [[nodiscard]] Status copy(std::span<const std::byte> bytes, std::span<std::byte> target) const {
    if (kernel_.fd >= 0)
      return read_at(kernel_.fd, target.first(bytes.size()),
                     static_cast<std::size_t>(bytes.data() - kernel_.file.data()));
    std::ranges::copy(bytes, target.begin());
    return ok();
  }

  const KernelElf& kernel_;
  std::vector<SegmentPages> segments_;
  std::vector<KernelPiece> pieces_;
};

}  // namespace

Result<LargeBuffer> LargeBuffer::create(std::size_t bytes) {
  const auto mapped = bytes + kHugePage;  // room to begin on a huge page
  void* base =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return system_error("map a buffer");
  LargeBuffer buffer;
  buffer.mapping_ = {static_cast<std::byte*>(base), mapped};
  const auto offset = (kHugePage - reinterpret_cast<std::uintptr_t>(base) % kHugePage) % kHugePage;
  buffer.bytes_ = buffer.mapping_.subspan(offset, bytes);
  // Without huge pages it is slower, and that is all.
  ::madvise(buffer.bytes_.data(), bytes, MADV_HUGEPAGE);
  return buffer;
}

LargeBuffer::~LargeBuffer() {
  if (!mapping_.empty()) ::munmap(mapping_.data(), mapping_.size());
}

std::optional<KernelRelocations> parse_relocations(std::span<const std::int32_t> words) {
  std::vector<std::span<const std::int32_t>> lists;
  if (words.empty() || words.front() != 0) return std::nullopt;
  for (auto rest = words; !rest.empty();) {
    const auto end = std::find(rest.begin() + 1, rest.end(), 0);
    const auto length = static_cast<std::size_t>(end - rest.begin());
    lists.push_back(rest.subspan(1, length - 1));
    rest = rest.subspan(length);
  }
  if (lists.size() == 2) return KernelRelocations{lists[0], {}, lists[1]};
  if (lists.size() == 3) return KernelRelocations{lists[0], lists[1], lists[2]};
  return std::nullopt;
}

std::uint64_t largest_slide(std::uint64_t link_end) {
  if (link_end >= kKernelImageSize) return 0;
  return (kKernelImageSize - link_end) / kSlideAlignment * kSlideAlignment;
}

Result<std::uint64_t> random_slide(const KernelElf& kernel) {
  const auto largest = largest_slide(kernel.link_end());
  if (largest == 0) return corrupted("kernel ELF: no room to randomize its address");
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof(random), 0) != sizeof(random)) return system_error("getrandom");
  return (1 + random % (largest / kSlideAlignment)) * kSlideAlignment;
}

std::vector<KernelPiece> pieces_of(const KernelElf& kernel) {
  std::vector<KernelPiece> pieces;
  for (std::size_t i = 0; i < kernel.segments.size(); ++i)
    pieces.push_back({i, 0, kernel.file.subspan(kernel.segments[i].p_offset, kernel.segments[i].p_filesz)});
  return pieces;
}

Result<SlidKernel> SlidKernel::create(const KernelElf& kernel, std::uint64_t slide) {
  const auto words = words_behind(kernel);
  const auto relocations = parse_relocations(words);
  if (!relocations)
    return Error{ErrorCode::kUnavailable, "this kernel has no relocations to randomize its address with"};
  Slider slider(kernel);
  KTSTR_TRY(slider.mark<std::uint64_t>(relocations->add64));
  KTSTR_TRY(slider.mark<std::uint32_t>(relocations->subtract32));
  KTSTR_TRY(slider.mark<std::uint32_t>(relocations->add32));
  auto changed = KTSTR_TRY(slider.copy_changed());
  const auto slide32 = static_cast<std::uint32_t>(slide);
  slider.relocate<std::uint64_t>(relocations->add64, slide);
  slider.relocate<std::uint32_t>(relocations->subtract32, -slide32);
  slider.relocate<std::uint32_t>(relocations->add32, slide32);
  return SlidKernel(std::move(changed), slider.take_pieces());
}

}  // namespace ktstr::vmm
