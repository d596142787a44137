#include "introspect/symbols/symbol_table.h"

#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "engine/base/check.h"
#include "engine/base/durable_file.h"
#include "engine/base/format_version.h"

namespace ktstr::introspect {
namespace {

static_assert(std::endian::native == std::endian::little, "the index file is little-endian");

/// docs/formats/symbols.md
struct IndexHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t symbols;
  std::uint64_t names_bytes;
  std::uint64_t checksum;  ///< CRC-64 (xz) of everything after the header, begun with the minor version
};
constexpr char kMagic[8] = {'K', 'T', 'S', 'T', 'R', 'S', 'Y', 'M'};
constexpr FormatVersion kVersion{1, 0};
constexpr std::uint64_t kBytesPerSymbol = 8 + 8 + 4 + 1;

/// FNV-1a, 32 bits.
std::uint32_t hash_name(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

/// The minor version begins it, so that a damaged version is noticed too.
std::uint64_t checksum(std::span<const std::byte> bytes, FormatVersion version) {
  return lzma_crc64(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), version.minor);
}

/// Sorts by the 32-bit member `hash`, keeping the order of equals: three rounds of counting 11 bits.
template <class Entry>
void sort_by_hash(std::vector<Entry>& entries) {
  constexpr unsigned kBits = 11, kBuckets = 1u << kBits;
  std::vector<Entry> sorted(entries.size());
  for (unsigned shift = 0; shift < 32; shift += kBits) {
    const auto bucket = [&](const Entry& entry) { return (entry.hash >> shift) & (kBuckets - 1); };
    std::array<std::uint32_t, kBuckets + 1> starts{};
    for (const Entry& entry : entries) ++starts[bucket(entry) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    for (const Entry& entry : entries) sorted[starts[bucket(entry)]++] = entry;
    entries.swap(sorted);
  }
}

Error damaged(std::string message) {
  return {ErrorCode::kCorrupt, "symbol index: " + std::move(message)};
}

/// Takes the next `count` values of type T off the front of `bytes`. Precondition: they are there, and
/// aligned.
template <class T>
std::span<const T> take(std::span<const std::byte>& bytes, std::size_t count) {
  const std::span<const T> values(reinterpret_cast<const T*>(bytes.data()), count);
  bytes = bytes.subspan(count * sizeof(T));
  return values;
}

template <class T>
void append(std::vector<std::byte>& image, const T* values, std::size_t count) {
  const auto bytes = std::as_bytes(std::span(values, count));
  image.insert(image.end(), bytes.begin(), bytes.end());
}

}  // namespace

void SymbolColumns::add(KernelVirt address, char type, std::string_view name) {
  addresses.push_back(address.value());
  types += type;
  names += name;
  name_ends.push_back(static_cast<std::uint32_t>(names.size()));
}

SymbolTable SymbolTable::build(const SymbolColumns& columns) {
  const std::size_t count = columns.addresses.size();
  KTSTR_CHECK(columns.types.size() == count && columns.name_ends.size() == count);
  std::vector<NameEntry> by_name(count);
  for (std::size_t i = 0, begin = 0; i < count; begin = columns.name_ends[i++]) {
    const std::string_view name(columns.names.data() + begin, columns.name_ends[i] - begin);
    by_name[i] = {hash_name(name), static_cast<std::uint32_t>(i)};
  }
  sort_by_hash(by_name);

  SymbolTable table;
  auto& image = table.built_;
  image.reserve(sizeof(IndexHeader) + count * kBytesPerSymbol + columns.names.size());
  image.resize(sizeof(IndexHeader));
  append(image, columns.addresses.data(), count);
  append(image, by_name.data(), count);
  append(image, columns.name_ends.data(), count);
  append(image, columns.types.data(), count);
  append(image, columns.names.data(), columns.names.size());
  IndexHeader header{{}, kVersion.to_word(), static_cast<std::uint32_t>(count), columns.names.size(), 0};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.checksum = checksum(std::span(image).subspan(sizeof header), kVersion);
  std::memcpy(image.data(), &header, sizeof header);
  const auto attached = table.attach(image);
  KTSTR_CHECK(attached);
  return table;
}

Result<SymbolTable> SymbolTable::load(const std::filesystem::path& path) {
  SymbolTable table;
  table.mapped_ = KTSTR_TRY(MappedFile::open(path));
  KTSTR_TRY(table.attach(table.mapped_.bytes()), path.string());
  return table;
}

Status SymbolTable::save(const std::filesystem::path& path) const {
  return write_new_file(path, built_.empty() ? mapped_.bytes() : built_);
}

Status SymbolTable::attach(std::span<const std::byte> file) {
  IndexHeader header;
  if (file.size() < sizeof header) return damaged("shorter than its header");
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return damaged("wrong magic");
  const auto found = FormatVersion::from_word(header.version);
  KTSTR_TRY(check_format(found, kVersion), "symbol index");
  const auto all = file.subspan(sizeof header);
  auto rest = all;
  const std::uint64_t columns_bytes = header.symbols * kBytesPerSymbol;
  const auto bytes_left = rest.size() < columns_bytes ? 0 : rest.size() - columns_bytes;
  const bool more_parts = found > kVersion && bytes_left > header.names_bytes;
  if (rest.size() < columns_bytes || (bytes_left != header.names_bytes && !more_parts))
    return damaged(fmt::format("{} bytes do not fit {} symbols with {} bytes of names", file.size(),
                               header.symbols, header.names_bytes));
  if (checksum(all, found) != header.checksum) return damaged("checksum mismatch");
  addresses_ = take<std::uint64_t>(rest, header.symbols);
  by_name_ = take<NameEntry>(rest, header.symbols);
  name_ends_ = take<std::uint32_t>(rest, header.symbols);
  const auto types = take<char>(rest, header.symbols);
  types_ = {types.data(), types.size()};
  names_ = {reinterpret_cast<const char*>(rest.data()), header.names_bytes};
  return check();
}

/// What lookups rely on. A checksum can be right over wrong contents.
Status SymbolTable::check() const {
  if (!std::is_sorted(addresses_.begin(), addresses_.end())) return damaged("addresses are not ascending");
  if (!std::is_sorted(name_ends_.begin(), name_ends_.end())) return damaged("name offsets are not ascending");
  if ((size() == 0 ? 0 : name_ends_.back()) != names_.size()) return damaged("names do not fill their part");
  if (!std::is_sorted(by_name_.begin(), by_name_.end())) return damaged("name index is not ascending");
  if (std::any_of(by_name_.begin(), by_name_.end(), [&](const NameEntry& e) { return e.symbol >= size(); }))
    return damaged("name index points outside the symbols");
  return ok();
}

std::string_view SymbolTable::name(std::size_t i) const {
  const std::size_t begin = i == 0 ? 0 : name_ends_[i - 1];
  return names_.substr(begin, name_ends_[i] - begin);
}

Symbol SymbolTable::operator[](std::size_t i) const {
  return {KernelVirt(addresses_[i]), types_[i], name(i)};
}

std::span<const SymbolTable::NameEntry> SymbolTable::with_hash(std::uint32_t hash) const {
  const auto first = std::lower_bound(by_name_.begin(), by_name_.end(), NameEntry{hash, 0});
  const auto last = std::find_if(first, by_name_.end(), [&](const NameEntry& e) { return e.hash != hash; });
  return {first, last};
}

std::optional<KernelVirt> SymbolTable::address(std::string_view wanted) const {
  for (const NameEntry& entry : with_hash(hash_name(wanted)))
    if (name(entry.symbol) == wanted) return KernelVirt(addresses_[entry.symbol]);
  return std::nullopt;
}

std::vector<Symbol> SymbolTable::all(std::string_view wanted) const {
  std::vector<Symbol> found;
  for (const NameEntry& entry : with_hash(hash_name(wanted)))
    if (name(entry.symbol) == wanted) found.push_back((*this)[entry.symbol]);
  return found;
}

std::optional<SymbolTable::Nearest> SymbolTable::nearest(KernelVirt address) const {
  const auto above = std::upper_bound(addresses_.begin(), addresses_.end(), address.value());
  if (above == addresses_.begin()) return std::nullopt;
  const auto first_alias = std::lower_bound(addresses_.begin(), above, *(above - 1));
  const Symbol symbol = (*this)[static_cast<std::size_t>(first_alias - addresses_.begin())];
  return Nearest{symbol, address - symbol.address};
}

}  // namespace ktstr::introspect
