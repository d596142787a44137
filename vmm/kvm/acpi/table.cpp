#include "vmm/kvm/acpi/table.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/base/check.h"

namespace ktstr::vmm::kvm {

void append(Bytes& bytes, std::span<const std::byte> more) {
  const auto end = bytes.size();
  bytes.resize(end + more.size());
  std::copy(more.begin(), more.end(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
}

std::uint8_t checksum(std::span<const std::byte> bytes) {
  const auto sum = std::accumulate(bytes.begin(), bytes.end(), 0U,
                                   [](unsigned so_far, std::byte byte) { return so_far + unsigned(byte); });
  return static_cast<std::uint8_t>(0U - sum);
}

GenericAddress GenericAddress::byte_port(std::uint16_t port) {
  constexpr std::uint8_t kSystemIo = 1, kByteAccess = 1;
  return {kSystemIo, 8, 0, kByteAccess, port};
}

Table::Table(std::string_view signature, std::uint8_t revision) {
  TableHeader header;
  KTSTR_CHECK(signature.size() == sizeof header.signature);
  std::copy(signature.begin(), signature.end(), header.signature);
  header.revision = revision;
  append(bytes_, header);
}

Bytes Table::finish() && {
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(TableHeader, length), &length, sizeof length);
  bytes_[offsetof(TableHeader, checksum)] = std::byte{checksum(bytes_)};
  return std::move(bytes_);
}

}  // namespace ktstr::vmm::kvm
