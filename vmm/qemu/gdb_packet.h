// Packets of the GDB remote serial protocol (GDB manual, appendix E.1): "$payload#checksum".
// Acknowledgements ("+") are not sent: QEMU takes the next packet for one, and any other byte that comes
// while its machine runs for a wish to stop it.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// All of a text as one hexadecimal number.
[[nodiscard]] std::optional<std::uint64_t> parse_hex(std::string_view digits);

/// What a stop notice of a watchpoint says.
struct GdbWatch {
  std::size_t thread = 0;  ///< gdb's number
  std::uint64_t address = 0;
};

/// Whether a packet is "T05thread:01;", "S05", "W00" ...: sent by the stub unasked. No request of ours is
/// answered in such a form.
[[nodiscard]] bool is_stop_notice(std::string_view packet);

/// Nothing when `packet` is no stop notice, or one of another kind ("T05thread:01;watch:ffffffff82a07000;" is
/// one; GDB manual, appendix E.3).
[[nodiscard]] std::optional<GdbWatch> parse_watch_notice(std::string_view packet);

}  // namespace ktstr::vmm::qemu
