#include "introspect/symbols/kallsyms.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

// The tables' order in .rodata (scripts/kallsyms.c, write_src):
//   since 6.4:  num_syms, names, markers, token_table, token_index, offsets, [relative_base,] seqs_of_names
//   before:     offsets, relative_base, num_syms, names, markers, [seqs_of_names,] token_table, token_index
// each aligned to 8 bytes (some to 4). All positions below are byte offsets into one segment.

namespace ktstr::introspect {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kTokens = 256;
constexpr std::size_t kMaxTokenBytes = 512;  // KSYM_NAME_LEN
constexpr std::size_t kMarkerStride = 256;   // symbols per marker
constexpr std::uint32_t kMaxSymbols = 1 << 22;
constexpr std::size_t kMaxChunkBytes =
    kMarkerStride * (512 + 2);  // names between two markers, each at most KSYM_NAME_LEN
constexpr std::size_t kMaxSeqsBytes = std::size_t{kMaxSymbols} * 4;
constexpr std::uint64_t kSearchSteps = std::uint64_t{1} << 28;  // about 200 ms

constexpr std::size_t align_up(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Loads a T; nullopt beyond the end.
template <class T>
std::optional<T> load(Bytes bytes, std::size_t offset) {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Loads u32 number `index` of an array. Precondition: it is there.
std::uint32_t load_u32(Bytes bytes, std::size_t array, std::size_t index = 0) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + array + index * sizeof value, sizeof value);
  return value;
}

struct TokenTable {
  std::array<std::string_view, kTokens> tokens;
  std::size_t begin = 0;  ///< of token_table
  std::size_t end = 0;    ///< of token_index, which follows it
};

/// Follows `count` NUL-terminated tokens from `position`; where they end, or nullopt.
std::optional<std::size_t> skip_tokens(Bytes segment, std::size_t position, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes rest = segment.subspan(position, std::min(kMaxTokenBytes, segment.size() - position));
    const void* end = memchr(rest.data(), 0, rest.size());
    if (!end) return std::nullopt;
    position += static_cast<std::size_t>(static_cast<const std::byte*>(end) - rest.data()) + 1;
  }
  return position;
}

/// The table whose token '0' is at `zero` and whose index begins at `index`, if index and table agree on
/// every token.
std::optional<TokenTable> match_index(Bytes segment, std::size_t zero, std::size_t index) {
  if (index + kTokens * 2 > segment.size()) return std::nullopt;
  const auto start = [&](std::size_t token) {
    return std::size_t{*load<std::uint16_t>(segment, index + token * 2)};
  };
  if (start('0') > zero) return std::nullopt;
  TokenTable table{{}, zero - start('0'), index + kTokens * 2};
  for (std::size_t token = 0, expected = 0; token < kTokens; ++token) {
    if (start(token) != expected) return std::nullopt;
    const auto end = skip_tokens(segment, table.begin + expected, 1);
    if (!end || *end > index) return std::nullopt;
    const std::size_t size = *end - 1 - (table.begin + expected);
    table.tokens[token] = {reinterpret_cast<const char*>(segment.data()) + table.begin + expected, size};
    expected += size + 1;
  }
  return table;
}

/// Every digit stands for itself, so the table holds "0" "1" ... "9" in a row; the index behind it tells
/// where it begins.
std::optional<TokenTable> token_table_around(Bytes segment, std::size_t zero) {
  const auto end = skip_tokens(segment, zero, kTokens - '0');
  if (!end) return std::nullopt;
  for (const std::size_t alignment : {8, 4, 2})
    if (auto table = match_index(segment, zero, align_up(*end, alignment))) return table;
  return std::nullopt;
}

struct NameTable {
  std::uint32_t symbols = 0;
  std::size_t num_syms = 0;  ///< position of the u32 that counts the symbols
  Bytes names;
};

/// Searches backwards from the token table for the markers, and from those for num_syms and the names.
class NameTableSearch {
 public:
  NameTableSearch(Bytes segment, std::size_t token_table) : segment_(segment), token_table_(token_table) {}

  std::optional<NameTable> run() {
    const std::size_t lowest = token_table_ - std::min(token_table_, kMaxSeqsBytes + kMaxSymbols / 64);
    for (std::size_t at = token_table_ & ~std::size_t{3}; at >= lowest + 4 && steps_ < kSearchSteps;
         ++steps_) {
      at -= 4;
      if (load_u32(segment_, at) != 0) continue;
      const std::size_t run = marker_run(at);
      // A lone zero is a marker table of its own only right before the token table; elsewhere it is just a
      // zero.
      if (run < 3 && token_table_ - at > 12) continue;
      if (auto table = names_before(at, run)) return table;
    }
    return std::nullopt;
  }

 private:
  /// How many values from `markers` on ascend as markers do.
  std::size_t marker_run(std::size_t markers) {
    const std::size_t limit =
        std::min<std::size_t>(kMaxSymbols / kMarkerStride, (token_table_ - markers) / 4);
    std::size_t run = 1;
    for (std::uint32_t last = 0; run < limit; ++run, ++steps_) {
      const std::uint32_t next = load_u32(segment_, markers, run);
      if (next <= last || next - last < kMarkerStride * 2 || next - last > kMaxChunkBytes) break;
      last = next;
    }
    return run;
  }

  std::optional<NameTable> names_before(std::size_t markers, std::size_t run) {
    const std::size_t reach = load_u32(segment_, markers, run - 1) + kMaxChunkBytes + 16;
    const std::size_t lowest = markers - std::min(markers, reach);
    for (std::size_t at = markers; at >= lowest + 4 && steps_ < kSearchSteps; ++steps_) {
      at -= 4;
      const std::uint32_t symbols = load_u32(segment_, at);
      if (!plausible_count(symbols, markers - at, markers, run)) continue;
      for (const std::size_t gap : {8, 4})
        if (auto names = names_at(at + gap, symbols, markers)) return NameTable{symbols, at, *names};
    }
    return std::nullopt;
  }

  bool plausible_count(std::uint32_t symbols, std::size_t distance, std::size_t markers,
                       std::size_t run) const {
    if (symbols == 0 || symbols > kMaxSymbols) return false;
    const std::size_t count = (symbols + kMarkerStride - 1) / kMarkerStride;
    if (count > run) return false;
    const std::size_t last = load_u32(segment_, markers, count - 1);
    return distance > last && distance - last <= kMaxChunkBytes + 16;
  }

  /// Follows all names from `begin`: they must agree with every marker and end where the markers begin.
  std::optional<Bytes> names_at(std::size_t begin, std::uint32_t symbols, std::size_t markers) {
    std::size_t at = begin;
    for (std::uint32_t i = 0; i < symbols; ++i, ++steps_) {
      if (i % kMarkerStride == 0 && load_u32(segment_, markers, i / kMarkerStride) != at - begin)
        return std::nullopt;
      if (at >= markers) return std::nullopt;
      const KallsymsLength length = kallsyms_length(segment_.subspan(at, markers - at));
      if (length.bytes == 0 || length.tokens == 0 || length.tokens > markers - at - length.bytes)
        return std::nullopt;
      at += length.bytes + length.tokens;
    }
    if (markers - at >= 8) return std::nullopt;
    return segment_.subspan(begin, at - begin);
  }

  Bytes segment_;
  std::size_t token_table_;
  std::uint64_t steps_ = 0;
};

/// How kallsyms_sym_address() (kernel/kallsyms.c) makes an address of an offset.
enum class AddressForm {
  kBaseRelative,    ///< base + (u32)offset: 6.15 up to where relative_base went
  kAbsolutePercpu,  ///< offset >= 0: the address itself; else base - 1 - offset
                    ///< (CONFIG_KALLSYMS_ABSOLUTE_PERCPU, up to 6.14)
  kPlaceRelative,   ///< the offset's own address + offset, no base: 7.x
};

/// Decodes the addresses of all symbols in one form and place, if they come out as addresses of a kernel do.
class AddressTable {
 public:
  AddressTable(const ElfImage& kernel, const ElfSegment& segment, std::uint32_t symbols)
      : segment_(segment), symbols_(symbols), lowest_(std::numeric_limits<std::uint64_t>::max()) {
    for (const ElfSegment& part : kernel.segments()) {
      lowest_ = std::min(lowest_, part.address.value());
      highest_ = std::max(highest_, (part.address + part.memory_bytes).value());
    }
  }

  [[nodiscard]] std::optional<std::vector<std::uint64_t>> decode(AddressForm form, std::size_t offsets,
                                                                 std::size_t relative_base) const {
    if (offsets > segment_.bytes.size() || symbols_ > (segment_.bytes.size() - offsets) / 4)
      return std::nullopt;
    std::uint64_t base = 0;
    if (form != AddressForm::kPlaceRelative) {
      const auto value = load<std::uint64_t>(segment_.bytes, relative_base);
      if (!value || *value < lowest_ || *value > highest_) return std::nullopt;
      base = *value;
    }
    std::vector<std::uint64_t> addresses(symbols_);
    for (std::uint32_t i = 0; i < symbols_; ++i) {
      const std::uint64_t place = segment_.address.value() + offsets + i * std::uint64_t{4};
      addresses[i] = address(form, load_u32(segment_.bytes, offsets, i), base, place);
      if (i > 0 && addresses[i] < addresses[i - 1]) return std::nullopt;
    }
    // Not every symbol lies in a segment: those of discarded sections come after the last, and per-CPU
    // symbols of old kernels before the first.
    const auto inside = std::count_if(addresses.begin(), addresses.end(), [&](std::uint64_t address) {
      return address >= lowest_ && address <= highest_;
    });
    if (static_cast<std::size_t>(inside) < addresses.size() / 2) return std::nullopt;
    return addresses;
  }

 private:
  static std::uint64_t address(AddressForm form, std::uint32_t raw, std::uint64_t base, std::uint64_t place) {
    const auto offset = static_cast<std::int64_t>(static_cast<std::int32_t>(raw));
    switch (form) {
      case AddressForm::kBaseRelative:
        return base + raw;
      case AddressForm::kAbsolutePercpu:
        return offset >= 0 ? raw : base - 1 - static_cast<std::uint64_t>(offset);
      case AddressForm::kPlaceRelative:
        break;
    }
    return place + static_cast<std::uint64_t>(offset);
  }

  const ElfSegment& segment_;
  std::uint32_t symbols_;
  std::uint64_t lowest_;
  std::uint64_t highest_ = 0;
};

std::optional<std::vector<std::uint64_t>> find_addresses(const ElfImage& kernel, const ElfSegment& segment,
                                                         const TokenTable& tokens, const NameTable& names) {
  using enum AddressForm;
  const AddressTable table(kernel, segment, names.symbols);
  const std::size_t bytes = std::size_t{names.symbols} * 4;
  const std::size_t after = tokens.end;
  for (const AddressForm form : {kBaseRelative, kAbsolutePercpu, kPlaceRelative})
    for (const std::size_t alignment : {8, 4})
      if (auto found = table.decode(form, after, align_up(after + bytes, alignment))) return found;
  if (names.num_syms < bytes + 8) return std::nullopt;
  const std::size_t relative_base = names.num_syms - 8;
  for (const AddressForm form : {kBaseRelative, kAbsolutePercpu})
    if (auto found = table.decode(form, (relative_base - bytes) & ~std::size_t{7}, relative_base))
      return found;
  return std::nullopt;
}

Result<KallsymsTables> find_in_segment(const ElfImage& kernel, const ElfSegment& segment) {
  static constexpr auto kDigits = [] {
    std::array<char, 20> text{};  // "0" "1" ... "9", each with its NUL
    for (std::size_t digit = 0; digit < 10; ++digit) text[2 * digit] = static_cast<char>('0' + digit);
    return text;
  }();
  for (std::size_t from = 0; from < segment.bytes.size();) {
    const Bytes rest = segment.bytes.subspan(from);
    const void* found = memmem(rest.data(), rest.size(), kDigits.data(), kDigits.size());
    if (!found) break;
    const std::size_t zero =
        from + static_cast<std::size_t>(static_cast<const std::byte*>(found) - rest.data());
    from = zero + kDigits.size();
    const auto tokens = token_table_around(segment.bytes, zero);
    if (!tokens) continue;
    const auto names = NameTableSearch(segment.bytes, tokens->begin).run();
    if (!names) return corrupted("kallsyms: a token table, but no names that agree with their markers");
    auto addresses = find_addresses(kernel, segment, *tokens, *names);
    if (!addresses)
      return corrupted(fmt::format("kallsyms: {} names, but no addresses in any known form", names->symbols));
    return KallsymsTables{tokens->tokens, names->names, std::move(*addresses)};
  }
  return Error{ErrorCode::kNotFound, "kallsyms: no token table in any segment (is CONFIG_KALLSYMS off?)"};
}

}  // namespace

Result<KallsymsTables> find_kallsyms(const ElfImage& kernel) {
  Result<KallsymsTables> found = Error{ErrorCode::kNotFound, "kallsyms: the kernel has no segments"};
  for (const ElfSegment& segment : kernel.segments()) {
    found = find_in_segment(kernel, segment);
    if (found || found.error().code != ErrorCode::kNotFound) break;
  }
  return found;
}

}  // namespace ktstr::introspect
