#include "introspect/memory_image.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/durable_file.h"
#include "engine/base/fd.h"
#include "engine/base/format_version.h"
#include "engine/base/io.h"
#include "introspect/span_memory.h"

namespace ktstr::introspect {

namespace {

constexpr std::array<char, 8> kMagic{'K', 'T', 'S', 'T', 'R', 'M', 'E', 'M'};
constexpr FormatVersion kVersion{1, 0};
constexpr std::uint32_t kMaxRegions = 1024;
constexpr std::uint32_t kMaxVcpus = 8192;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHasIdt = 1, kHasLstar = 2;

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion.to_word();
  std::uint32_t regions = 0;
  std::uint32_t vcpus = 0;
  std::uint32_t reserved = 0;
};

struct RegionRecord {
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  std::uint64_t file_offset = 0;
};

struct VcpuRecord {
  std::uint64_t cr3 = 0, cr4 = 0, efer = 0, rip = 0, gs_base = 0, idt_base = 0, lstar = 0, known = 0;
};

std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

Status write_region(const Fd& file, std::span<const std::byte> bytes, std::uint64_t offset) {
  static constexpr std::array<std::byte, kPage> kZeros{};
  std::array<std::byte, kPage> page;
  for (std::size_t at = 0; at < bytes.size(); at += kPage) {
    const auto part = std::span(page).first(std::min<std::size_t>(kPage, bytes.size() - at));
    copy_shared(part, bytes.data() + at);
    if (std::memcmp(part.data(), kZeros.data(), part.size()) == 0) continue;
    KTSTR_TRY(write_at(file.get(), part, offset + at));
  }
  return ok();
}

VcpuRecord to_record(const CpuContext& vcpu) {
  return {vcpu.cr3,
          vcpu.cr4,
          vcpu.efer,
          vcpu.rip,
          vcpu.gs_base,
          vcpu.idt_base.value_or(0),
          vcpu.lstar.value_or(0),
          (vcpu.idt_base ? kHasIdt : 0) | (vcpu.lstar ? kHasLstar : 0)};
}

CpuContext from_record(const VcpuRecord& record) {
  CpuContext vcpu{record.cr3, record.cr4, record.efer, record.rip, record.gs_base, {}, {}};
  if (record.known & kHasIdt) vcpu.idt_base = record.idt_base;
  if (record.known & kHasLstar) vcpu.lstar = record.lstar;
  return vcpu;
}

template <class Record>
void append(std::vector<std::byte>& bytes, const Record& record) {
  const auto source = std::as_bytes(std::span(&record, 1));
  bytes.insert(bytes.end(), source.begin(), source.end());
}

Status write_image(const Fd& file, const SpanMemory& memory, std::span<const CpuContext> vcpus) {
  std::vector<std::byte> tables;
  append(tables, Header{.regions = static_cast<std::uint32_t>(memory.spans().size()),
                        .vcpus = static_cast<std::uint32_t>(vcpus.size())});
  std::uint64_t offset = round_up(sizeof(Header) + memory.spans().size() * sizeof(RegionRecord) +
                                  vcpus.size() * sizeof(VcpuRecord));
  for (const MemorySpan& span : memory.spans()) {
    append(tables, RegionRecord{span.base.value(), span.bytes.size(), offset});
    KTSTR_TRY(write_region(file, span.bytes, offset));
    offset = round_up(offset + span.bytes.size());
  }
  for (const CpuContext& vcpu : vcpus) append(tables, to_record(vcpu));
  KTSTR_TRY(write_at(file.get(), tables, 0));
  if (::ftruncate(file.get(), static_cast<off_t>(offset)) != 0) return system_error("set the length");
  return ok();
}

Error corrupt(const std::filesystem::path& path, std::string_view what) {
  return {ErrorCode::kCorrupt, path.string() + ": " + std::string(what)};
}

/// Takes records off the front of a file's bytes.
class RecordReader {
 public:
  explicit RecordReader(std::span<const std::byte> bytes) : left_(bytes) {}

  template <class Record>
  std::optional<Record> next() {
    Record record;
    if (left_.size() < sizeof(record)) return std::nullopt;
    std::memcpy(&record, left_.data(), sizeof(record));
    left_ = left_.subspan(sizeof(record));
    return record;
  }

 private:
  std::span<const std::byte> left_;
};

/// Whether the region lies within the file and above the one before it.
bool is_sound(const RegionRecord& region, std::uint64_t file_bytes, std::uint64_t lowest_base) {
  return region.bytes != 0 && region.base >= lowest_base && region.bytes <= ~region.base &&
         region.file_offset <= file_bytes && region.bytes <= file_bytes - region.file_offset;
}

}  // namespace

Status save_memory_image(const std::filesystem::path& path, const SpanMemory& memory,
                         std::span<const CpuContext> vcpus) {
  if (memory.spans().size() > kMaxRegions || vcpus.size() > kMaxVcpus)
    return Error{ErrorCode::kInvalidArgument, "more memory regions or vCPUs than an image holds"};
  auto file = KTSTR_TRY(NewFile::beside(path, 0600));
  KTSTR_TRY(write_image(file.fd(), memory, vcpus), path.string());
  return file.publish(NewFile::Sync::kNo);
}

Result<MemoryImage> MemoryImage::open(const std::filesystem::path& path) {
  MappedFile file = KTSTR_TRY(MappedFile::open(path));
  RecordReader reader(file.bytes());
  const auto header = reader.next<Header>();
  if (!header || header->magic != kMagic) return corrupt(path, "not a memory image");
  KTSTR_TRY(check_format(FormatVersion::from_word(header->version), kVersion), path.string());
  if (header->regions > kMaxRegions || header->vcpus > kMaxVcpus)
    return corrupt(path, "impossible counts in the header");
  std::vector<MemorySpan> spans;
  std::uint64_t lowest_base = 0;
  for (std::uint32_t i = 0; i < header->regions; ++i) {
    const auto region = reader.next<RegionRecord>();
    if (!region || !is_sound(*region, file.bytes().size(), lowest_base))
      return corrupt(path, "damaged table of regions, or the file is cut short");
    spans.push_back({GuestPhys(region->base), file.bytes().subspan(region->file_offset, region->bytes)});
    lowest_base = region->base + region->bytes;
  }
  std::vector<CpuContext> vcpus;
  for (std::uint32_t i = 0; i < header->vcpus; ++i) {
    const auto vcpu = reader.next<VcpuRecord>();
    if (!vcpu) return corrupt(path, "the table of vCPUs is cut short");
    vcpus.push_back(from_record(*vcpu));
  }
  return MemoryImage(std::move(file), SpanMemory(std::move(spans)), std::move(vcpus));
}

}  // namespace ktstr::introspect
