// What the runner asks of the guest agent about profiles of the guest's threads. A capture is a file of
// docs/formats/ctprof.md; it comes in parts, since a frame has a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

struct CapturePart;
struct Captured;

/// A capture that is larger compressed is an error of the agent's; the runner takes none. Some 200 000
/// threads.
inline constexpr std::uint64_t kMaxCaptureBytes = 64U << 20;
/// The most bytes of a capture in one message.
inline constexpr std::size_t kMaxCapturePartBytes = 1U << 20;

/// Captures every thread of the guest. The agent keeps the capture until the next one. Answered by Captured;
/// failed with kOutOfRange above kMaxCaptureBytes.
struct CaptureThreads {
  using Answer = Captured;

  static consteval auto describe() {
    return record<CaptureThreads>("capture_threads", "captures a profile of every thread");
  }
};
/// Asks for the next bytes of the last capture. Answered by CapturePart; failed with kOutOfRange when there
/// are none from `offset` on.
struct ReadCapture {
  using Answer = CapturePart;

  std::uint64_t offset = 0;

  static consteval auto describe() {
    return record("read_capture", "asks for a part of the last capture",
                  field<&ReadCapture::offset>("where the part begins, bytes"));
  }
};

struct Captured {
  std::uint64_t bytes = 0;

  static consteval auto describe() {
    return record("captured", "a capture is there to be read",
                  field<&Captured::bytes>("its size, compressed"));
  }
};
/// Full, but for the last one.
struct CapturePart {
  std::string base64;

  static consteval auto describe() {
    return record("capture_part", "bytes of a capture",
                  field<&CapturePart::base64>("at most 1 MiB of them, in base64"));
  }
};

}  // namespace ktstr::engine::protocol
