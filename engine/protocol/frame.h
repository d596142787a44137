// Frames on the channel between runner and agent: a fixed header, then a JSON payload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::engine::protocol {

/// Little-endian on the wire. `crc32` is zlib's, over the payload.
struct FrameHeader {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t length;
  std::uint32_t crc32;
};
inline constexpr std::uint32_t kFrameMagic = 0x5254534b;  // "KSTR"
inline constexpr std::uint32_t kMaxPayload = 64U << 20;

/// Writes one frame. Errors: payload above kMaxPayload, a closed channel, the deadline.
[[nodiscard]] Status send_frame(int fd, std::string_view payload, Duration timeout);

/// Reads one frame's payload. Errors: kTimeout; kCorrupt for a bad magic, version, length or CRC; kGuestFailed at end of stream.
[[nodiscard]] Result<std::string> receive_frame(int fd, Duration timeout);

}  // namespace ktstr::engine::protocol
