#include "vmm/kernel_image.h"

#include <elf.h>
#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cstring>

#include "engine/base/elf_image.h"
#include "vmm/decompress.h"

namespace ktstr::vmm {
namespace {

// The setup header of the x86 boot protocol, Documentation/arch/x86/boot.rst: offsets into the image.
constexpr std::size_t kSetupSectors = 0x1f1;
constexpr std::size_t kHeaderMagic = 0x202;
constexpr std::size_t kProtocolVersion = 0x206;
constexpr std::size_t kPayloadOffset = 0x248;
constexpr std::size_t kPayloadLength = 0x24c;
constexpr std::size_t kHeaderEnd = 0x250;
constexpr std::uint16_t kFirstProtocolWithPayload = 0x0208;
constexpr std::size_t kSectorBytes = 512;
constexpr std::size_t kDefaultSetupSectors = 4;

/// No kernel comes near it; a payload that announces more is damaged.
constexpr std::uint64_t kMaxElfBytes = std::uint64_t{512} << 20;
/// Nor does any shrink to a 64th of its size.
constexpr std::uint64_t kMostShrinking = 64, kPlainBytes = 16 << 20;
constexpr std::size_t kMaxReleaseBytes = 64;  // __NEW_UTS_LEN, include/uapi/linux/utsname.h

using Bytes = std::span<const std::byte>;

/// Precondition: offset + sizeof(T) <= bytes.size().
template <class T>
T load(Bytes bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool is_bzimage(Bytes image) {
  constexpr std::string_view kMagic = "HdrS";
  return image.size() >= kHeaderMagic + kMagic.size() &&
         std::memcmp(image.data() + kHeaderMagic, kMagic.data(), kMagic.size()) == 0;
}

Result<Bytes> find_payload(Bytes image) {
  if (image.size() < kHeaderEnd)
    return corrupted(fmt::format("bzImage ends inside its setup header ({} bytes)", image.size()));
  const auto protocol = load<std::uint16_t>(image, kProtocolVersion);
  if (protocol < kFirstProtocolWithPayload)
    return corrupted(
        fmt::format("boot protocol {}.{:02} has no payload fields", protocol >> 8, protocol & 0xff));
  const std::uint8_t sectors = load<std::uint8_t>(image, kSetupSectors);
  const std::uint64_t setup_bytes = ((sectors ? sectors : kDefaultSetupSectors) + 1) * kSectorBytes;
  const std::uint64_t begin = setup_bytes + load<std::uint32_t>(image, kPayloadOffset);
  const std::uint64_t length = load<std::uint32_t>(image, kPayloadLength);
  if (begin > image.size() || length > image.size() - begin)
    return corrupted(fmt::format("bzImage's payload reaches from {} over {} bytes, beyond the image's {}",
                                 begin, length, image.size()));
  return image.subspan(begin, length);
}

Result<std::vector<std::byte>> decompress_payload(Bytes payload) {
  const Compression* compression = find_compression(payload);
  if (!compression) return corrupted("bzImage's payload begins with no known compression's magic");
  if (!compression->decompress)
    return invalid_argument(
        fmt::format("bzImage's payload is compressed with {}, which is not supported", compression->name));
  std::uint32_t announced = 0;
  if (payload.size() < sizeof announced + compression->magic.size())
    return corrupted("bzImage's payload is empty");
  announced = load<std::uint32_t>(payload, payload.size() - sizeof announced);
  if (announced > kMaxElfBytes)
    return corrupted(fmt::format("bzImage's payload announces {} bytes, more than any kernel", announced));
  if (announced > kPlainBytes && announced > payload.size() * kMostShrinking)
    return corrupted(
        fmt::format("bzImage's payload of {} bytes announces {}: no kernel is compressed so well",
                    payload.size(), announced));
  if (compression->size_appended) payload = payload.first(payload.size() - sizeof announced);
  BoundedOutput output(announced);
  KTSTR_TRY(compression->decompress(payload, output));
  if (!output.full())
    return corrupted(fmt::format("{} stream gives {} bytes, {} were announced", compression->name,
                                 output.written(), announced));
  return output.take();
}

/// "Linux version 7.3.4 (...": the release in linux_banner (init/version-timestamp.c), wherever it lies in a
/// segment.
std::optional<std::string> find_release(const ElfImage& elf) {
  constexpr std::string_view kBanner = "Linux version ";
  for (const ElfSegment& segment : elf.segments()) {
    std::string_view text(reinterpret_cast<const char*>(segment.bytes.data()), segment.bytes.size());
    while (const void* found = memmem(text.data(), text.size(), kBanner.data(), kBanner.size())) {
      text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) +
                         kBanner.size());
      const std::string_view release = text.substr(0, std::min(text.find(' '), kMaxReleaseBytes + 1));
      if (is_valid_release(release)) return std::string(release);
    }
  }
  return std::nullopt;
}

Status describe_elf(ExtractedKernel& kernel) {
  const ElfImage elf = KTSTR_TRY(ElfImage::open(kernel.elf));
  if (elf.machine() != EM_X86_64)
    return invalid_argument(fmt::format("ELF machine {}: not an x86-64 kernel", elf.machine()));
  if (elf.segments().empty()) return corrupted("ELF without a loadable segment: not a kernel");
  auto release = find_release(elf);
  if (!release) return corrupted("no \"Linux version\" text: not a Linux kernel");
  kernel.release = std::move(*release);
  kernel.build_id = elf.build_id();
  return ok();
}

}  // namespace

bool is_valid_release(std::string_view release) {
  constexpr std::string_view kPunctuation = "._+~-";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (release.empty() || release.size() > kMaxReleaseBytes || !is_digit(release[0])) return false;
  return std::all_of(release.begin(), release.end(), [&](char c) {
    return is_digit(c) || is_letter(c) || kPunctuation.find(c) != std::string_view::npos;
  });
}

Result<ExtractedKernel> extract_kernel(std::span<const std::byte> image) {
  ExtractedKernel kernel;
  if (is_elf(image)) {
    kernel.format = ImageFormat::kElf;
    kernel.elf = image;
  } else if (is_bzimage(image)) {
    kernel.format = ImageFormat::kBzImage;
    const Bytes payload = KTSTR_TRY(find_payload(image));
    kernel.decompressed = KTSTR_TRY(decompress_payload(payload));
    kernel.elf = kernel.decompressed;
  } else {
    return invalid_argument("neither a bzImage (no HdrS header) nor an ELF file");
  }
  KTSTR_TRY(describe_elf(kernel));
  return kernel;
}

}  // namespace ktstr::vmm
