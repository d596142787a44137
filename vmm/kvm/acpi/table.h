// Table: an ACPI system description table in the making.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ktstr::vmm::kvm {

/// Little-endian, as the guest reads them.
using Bytes = std::vector<std::byte>;

/// Puts `more` behind `bytes`.
void append(Bytes& bytes, std::span<const std::byte> more);

/// Puts the bytes of a packed struct or a number behind `bytes`.
template <class T>
requires std::is_trivially_copyable_v<T> &&
    (!std::is_convertible_v<T, std::span<const std::byte>>)void append(Bytes& bytes, const T& value) {
  append(bytes, std::as_bytes(std::span(&value, 1)));
}

/// What makes `bytes`, whose checksum field is 0, sum to 0 modulo 256 once it stands in that field (ACPI 6.5,
/// 5.2.6).
[[nodiscard]] std::uint8_t checksum(std::span<const std::byte> bytes);

/// The System Description Table Header (ACPI 6.5, 5.2.6).
struct [[gnu::packed]] TableHeader {
  char signature[4] = {};
  std::uint32_t length = 0;  ///< bytes, the header's own included
  std::uint8_t revision = 0;
  std::uint8_t checksum = 0;
  char oem_id[6] = {'K', 'T', 'S', 'T', 'R', ' '};
  char oem_table_id[8] = {'K', 'T', 'S', 'T', 'R', 'V', 'M', ' '};
  std::uint32_t oem_revision = 1;
  char creator_id[4] = {'K', 'T', 'S', 'T'};
  std::uint32_t creator_revision = 1;
};
static_assert(sizeof(TableHeader) == 36);

/// Where a register lies (Generic Address Structure; ACPI 6.5, 5.2.3.2).
struct [[gnu::packed]] GenericAddress {
  std::uint8_t address_space = 0;
  std::uint8_t bits = 0;
  std::uint8_t bit_offset = 0;
  std::uint8_t access_size = 0;
  std::uint64_t address = 0;

  /// One byte at an I/O port.
  [[nodiscard]] static GenericAddress byte_port(std::uint16_t port);
};
static_assert(sizeof(GenericAddress) == 12);

/// A header, what is appended, and in the end length and checksum.
class Table {
 public:
  /// Precondition: the signature has four characters.
  Table(std::string_view signature, std::uint8_t revision);

  /// `part` is a packed struct, a number, or bytes.
  template <class T>
  Table& add(const T& part) {
    append(bytes_, part);
    return *this;
  }

  /// The finished table.
  [[nodiscard]] Bytes finish() &&;

 private:
  Bytes bytes_;
};

}  // namespace ktstr::vmm::kvm
