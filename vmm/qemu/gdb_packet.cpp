#include "vmm/qemu/gdb_packet.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace ktstr::vmm::qemu {
namespace {

constexpr char kEscape = '}';
constexpr char kEscapeMask = 0x20;
constexpr int kRunLengthBias = 29;  // a run's length is sent as a printable character: count + 29

std::uint8_t checksum(std::string_view body) {
  std::uint8_t sum = 0;
  for (const char byte : body) sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(byte));
  return sum;
}

std::optional<std::uint8_t> hex_byte(std::string_view digits) {
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
  return value;
}

std::string decode_body(std::string_view body) {
  std::string payload;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool has_next = i + 1 < body.size();
    if (body[i] == kEscape && has_next)
      payload += static_cast<char>(body[++i] ^ kEscapeMask);
    else if (body[i] == '*' && has_next && !payload.empty())
      payload.append(static_cast<std::size_t>(std::max(body[++i] - kRunLengthBias, 0)), payload.back());
    else
      payload += body[i];
  }
  return payload;
}

}  // namespace

std::string encode_gdb_packet(std::string_view payload) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string body;
  for (const char byte : payload) {
    const bool special = byte == '#' || byte == '$' || byte == kEscape || byte == '*';
    if (special) body += kEscape;
    body += special ? static_cast<char>(byte ^ kEscapeMask) : byte;
  }
  const auto sum = checksum(body);
  return "$" + body + "#" + kDigits[sum >> 4] + kDigits[sum & 15];
}

void GdbPacketReader::feed(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kLimit) buffer_.clear();
  buffer_.append(bytes);
}

std::optional<std::string> GdbPacketReader::next() {
  while (true) {
    buffer_.erase(0, std::min(buffer_.find('$'), buffer_.size()));
    const auto hash = buffer_.find('#');
    if (hash == buffer_.npos || hash + 2 >= buffer_.size()) return std::nullopt;
    const auto body = buffer_.substr(1, hash - 1);
    const auto sum = hex_byte(std::string_view(buffer_).substr(hash + 1, 2));
    buffer_.erase(0, hash + 3);
    if (sum == checksum(body)) return decode_body(body);
  }
}

std::optional<std::string> decode_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto byte = hex_byte(hex.substr(i, 2));
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

std::optional<std::uint64_t> parse_hex(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool is_stop_notice(std::string_view packet) {
  return !packet.empty() && std::string_view("TSWX").find(packet.front()) != std::string_view::npos;
}

std::optional<GdbWatch> parse_watch_notice(std::string_view packet) {
  constexpr std::size_t kSignalEnd = 3;  // "T05"
  if (packet.size() < kSignalEnd || packet.front() != 'T') return std::nullopt;
  std::optional<std::uint64_t> thread, address;
  for (auto rest = packet.substr(kSignalEnd); !rest.empty();) {
    const auto end = std::min(rest.find(';'), rest.size());
    const auto field = rest.substr(0, end);
    const auto colon = std::min(field.find(':'), field.size());
    const auto value = field.substr(std::min(colon + 1, field.size()));
    if (field.substr(0, colon) == "thread") thread = parse_hex(value);
    if (field.substr(0, colon) == "watch") address = parse_hex(value);
    rest = rest.substr(std::min(end + 1, rest.size()));
  }
  if (!thread || !address) return std::nullopt;
  return GdbWatch{static_cast<std::size_t>(*thread), *address};
}

}  // namespace ktstr::vmm::qemu
