// Packets of the GDB remote serial protocol (GDB manual, appendix E.1): "$payload#checksum", acknowledged by
// "+".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

/// The packet that carries `payload`, with "#", "$", "}" and "*" escaped.
[[nodiscard]] std::string encode_gdb_packet(std::string_view payload);

/// Takes packets out of a stream of bytes. Damaged packets and bytes between packets are dropped.
class GdbPacketReader {
 public:
  /// Longest packet kept; a stream that never ends one is cut there.
  static constexpr std::size_t kLimit = 1 << 20;

  void feed(std::string_view bytes);
  /// The next whole packet's payload, unescaped; run-length encoding expanded.
  [[nodiscard]] std::optional<std::string> next();

 private:
  std::string buffer_;
};

/// Bytes of a hexadecimal text. Nothing when it has odd length or another character ("xx" marks an
/// unavailable register).
[[nodiscard]] std::optional<std::string> decode_hex(std::string_view hex);

}  // namespace ktstr::vmm::qemu
