#include "engine/schedulers/library_cache.h"

#include <cstring>
#include <string_view>

#include "engine/base/mapped_file.h"

namespace ktstr::engine {
namespace {

constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::int32_t kX86_64Library = 0x0303;  // FLAG_X8664_LIB64 | FLAG_ELF_LIBC6

struct Header {
  char magic[20];
  std::uint32_t entries;
  std::uint32_t string_bytes;
  std::uint8_t flags;
  std::uint8_t padding[3];
  std::uint32_t extension_offset;
  std::uint32_t unused[3];
};
static_assert(sizeof(Header) == 48);

struct Entry {
  std::int32_t flags;
  std::uint32_t soname;  ///< offset from the header
  std::uint32_t path;
  std::uint32_t os_version;
  std::uint64_t hwcap;  ///< 0: for every CPU
};
static_assert(sizeof(Entry) == 24);

template <class T>
std::optional<T> read_at(std::span<const std::byte> file, std::size_t offset) {
  if (offset > file.size() || sizeof(T) > file.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

std::optional<std::string> string_at(std::span<const std::byte> file, std::size_t offset) {
  if (offset >= file.size()) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(file.data() + offset);
  const auto length = ::strnlen(text, file.size() - offset);
  if (length == file.size() - offset) return std::nullopt;  // no end
  return std::string(text, length);
}

Error damaged_cache() {
  return corrupted("damaged library cache");
}

}  // namespace

Result<LibraryCache> LibraryCache::parse(std::span<const std::byte> file) {
  // Old systems put another table in front.
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto start = text.find(kMagic);
  if (start == std::string_view::npos) return corrupted("not a library cache");
  file = file.subspan(start);
  const auto header = read_at<Header>(file, 0);
  if (!header) return damaged_cache();
  LibraryCache cache;
  for (std::size_t i = 0; i < header->entries; ++i) {
    const auto entry = read_at<Entry>(file, sizeof(Header) + i * sizeof(Entry));
    if (!entry) return damaged_cache();
    if (entry->flags != kX86_64Library || entry->hwcap != 0) continue;
    auto soname = string_at(file, entry->soname);
    auto path = string_at(file, entry->path);
    if (!soname || !path) return damaged_cache();
    cache.places_[*soname].emplace_back(*path);
  }
  return cache;
}

Result<LibraryCache> LibraryCache::load(const std::filesystem::path& file) {
  const auto mapped = MappedFile::open(file);
  if (!mapped && mapped.error().code == ErrorCode::kNotFound) return LibraryCache();
  if (!mapped) return Error(mapped.error());
  return KTSTR_TRY(parse(mapped->bytes()), file.string());
}

std::vector<std::filesystem::path> LibraryCache::find(const std::string& soname) const {
  const auto found = places_.find(soname);
  return found == places_.end() ? std::vector<std::filesystem::path>() : found->second;
}

}  // namespace ktstr::engine
