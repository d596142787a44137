#include "vmm/kvm/acpi/aml.h"

#include <charconv>

#include "engine/base/check.h"

namespace ktstr::vmm::kvm::aml {
namespace {

// Opcodes (ACPI 6.5, 20.3).
constexpr std::uint8_t kNameOp = 0x08;
constexpr std::uint8_t kBytePrefix = 0x0a, kWordPrefix = 0x0b, kDwordPrefix = 0x0c, kQwordPrefix = 0x0e;
constexpr std::uint8_t kStringPrefix = 0x0d;
constexpr std::uint8_t kScopeOp = 0x10;
constexpr std::uint8_t kBufferOp = 0x11;
constexpr std::uint8_t kPackageOp = 0x12;
constexpr std::uint8_t kExtendedPrefix = 0x5b;
constexpr std::uint8_t kDeviceOp = 0x82;  // after kExtendedPrefix

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes bytes;
  for (const auto& part : parts) append(bytes, part);
  return bytes;
}

template <class T>
Bytes prefixed(std::uint8_t prefix, T value) {
  Bytes bytes;
  append(bytes, prefix);
  append(bytes, value);
  return bytes;
}

Bytes name_segment(std::string_view name) {
  constexpr std::size_t kSegmentBytes = 4;
  Bytes bytes;
  KTSTR_CHECK(!name.empty() && name.size() <= kSegmentBytes);
  for (std::size_t i = 0; i < kSegmentBytes; ++i) append(bytes, i < name.size() ? name[i] : '_');
  return bytes;
}

/// opcode, length of what follows, and that.
Bytes sized(std::initializer_list<std::uint8_t> opcode, std::initializer_list<Bytes> parts) {
  const auto content = joined(parts);
  Bytes bytes;
  for (const auto byte : opcode) append(bytes, byte);
  append(bytes, package_length(content.size()));
  append(bytes, content);
  return bytes;
}

}  // namespace

Bytes package_length(std::size_t bytes) {
  constexpr std::size_t kOneByteLimit = 1 << 6;  // one byte has six bits of length, or four and a count
  if (bytes + 1 < kOneByteLimit) return {std::byte(bytes + 1)};
  for (unsigned following = 1; following <= 3; ++following) {
    const auto length = bytes + 1 + following;
    if (length >> (4 + 8 * following) != 0) continue;
    Bytes encoded{std::byte(following << 6 | (length & 0xf))};
    for (unsigned i = 0; i < following; ++i) encoded.push_back(std::byte(length >> (4 + 8 * i) & 0xff));
    return encoded;
  }
  KTSTR_CHECK(!"a term of 2^28 bytes or more");
  return {};
}

Bytes integer(std::uint64_t value) {
  if (value <= 1) return {std::byte(value)};  // ZeroOp and OneOp
  if (value <= UINT8_MAX) return prefixed(kBytePrefix, static_cast<std::uint8_t>(value));
  if (value <= UINT16_MAX) return prefixed(kWordPrefix, static_cast<std::uint16_t>(value));
  if (value <= UINT32_MAX) return prefixed(kDwordPrefix, static_cast<std::uint32_t>(value));
  return prefixed(kQwordPrefix, value);
}

Bytes string(std::string_view text) {
  Bytes bytes;
  append(bytes, kStringPrefix);
  for (const char character : text) append(bytes, character);
  append(bytes, '\0');
  return bytes;
}

Bytes eisa_id(std::string_view id) {
  KTSTR_CHECK(id.size() == 7);
  std::uint32_t letters = 0, digits = 0;
  for (const char letter : id.substr(0, 3)) letters = letters << 5 | static_cast<std::uint32_t>(letter - '@');
  const auto [end, error] = std::from_chars(id.data() + 3, id.data() + 7, digits, 16);
  KTSTR_CHECK(error == std::errc{} && end == id.data() + 7);
  return integer(__builtin_bswap32(letters << 16 | digits));
}

Bytes buffer(const Bytes& content) {
  return sized({kBufferOp}, {integer(content.size()), content});
}

Bytes package(std::initializer_list<Bytes> elements) {
  KTSTR_CHECK(elements.size() <= UINT8_MAX);
  return sized({kPackageOp}, {Bytes{std::byte(elements.size())}, joined(elements)});
}

Bytes name(std::string_view name, const Bytes& value) {
  return joined({Bytes{std::byte{kNameOp}}, name_segment(name), value});
}

Bytes scope(std::string_view name, std::initializer_list<Bytes> terms) {
  return sized({kScopeOp}, {name_segment(name), joined(terms)});
}

Bytes device(std::string_view name, std::initializer_list<Bytes> terms) {
  return sized({kExtendedPrefix, kDeviceOp}, {name_segment(name), joined(terms)});
}

}  // namespace ktstr::vmm::kvm::aml
