// Frames on the channel between runner and agent: a fixed header, then a JSON payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/io.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/base/value.h"

namespace ktstr::engine::protocol {

/// Raised with every change of frame or message that an older peer would misread.
inline constexpr std::uint32_t kVersion = 4;

/// Little-endian on the wire. `crc32` is zlib's, over the payload.
struct FrameHeader {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t length;
  std::uint32_t crc32;
};
inline constexpr std::uint32_t kFrameMagic = 0x5254534b;  // "KSTR"
inline constexpr std::uint32_t kMaxPayload = 64U << 20;
/// What a payload may hold, whatever its sender says: the largest replies have some ten bytes for each value.
inline constexpr JsonLimits kPayloadLimits{.values = kMaxPayload / 8};

/// The fd of a channel is a stream socket, or a pipe or character device in non-blocking mode (a virtio port,
/// a raw tty): a device in blocking mode would hold a writer beyond its deadline.
///
/// Writes one frame. Errors: kInvalidArgument for a payload above kMaxPayload, kGuestFailed for a closed
/// channel, kTimeout, kIo. After an error a part of the frame may be on its way: the channel is then of no
/// more use.
[[nodiscard]] Status send_frame(int fd, std::string_view payload, Duration timeout);

/// Reads frames from one channel, never beyond the end of a frame. A frame that is half there at a timeout is
/// continued by the next call. Not thread safe; does not own the fd.
class FrameReader {
 public:
  explicit FrameReader(int fd) : fd_(fd) {}

  /// The next frame's payload. Errors: kTimeout; kCancelled as soon as `cancel_fd` is readable (-1: none);
  /// kCorrupt for a bad magic, version, length or CRC; kGuestFailed at the end of the stream; kIo. After
  /// kCorrupt the stream's frame borders are lost and every later call fails likewise.
  [[nodiscard]] Result<std::string> next(Duration timeout, int cancel_fd = -1);

 private:
  [[nodiscard]] Status fill(char* into, std::size_t size, Deadline deadline, int cancel_fd);
  [[nodiscard]] Status check_header();

  int fd_;
  FrameHeader header_{};
  std::string payload_;
  std::size_t filled_ = 0;  ///< bytes of the part being read
  bool in_payload_ = false;
  bool corrupt_ = false;
};

/// Reads one frame with a FrameReader of its own.
[[nodiscard]] Result<std::string> receive_frame(int fd, Duration timeout, int cancel_fd = -1);

}  // namespace ktstr::engine::protocol
