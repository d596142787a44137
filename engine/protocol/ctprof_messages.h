// What the runner asks of the guest agent about profiles of the guest's threads. A capture is a file of
// docs/formats/ctprof.md; it comes in parts, since a frame has a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

/// A capture that is larger compressed is an error of the agent's; the runner takes none. Some 200 000
/// threads.
inline constexpr std::uint64_t kMaxCaptureBytes = 64U << 20;
/// The most bytes of a capture in one message.
inline constexpr std::size_t kMaxCapturePartBytes = 1U << 20;

/// Captures every thread of the guest. The agent keeps the capture until the next one. Answered by Captured;
/// failed with kOutOfRange above kMaxCaptureBytes.
struct CaptureThreads {};
/// Asks for the next bytes of the last capture. Answered by CapturePart; failed with kOutOfRange when there
/// are none from `offset` on.
struct ReadCapture {
  std::uint64_t offset = 0;
};

struct Captured {
  std::uint64_t bytes = 0;
};
/// Full, but for the last one.
struct CapturePart {
  std::string base64;
};

}  // namespace ktstr::engine::protocol

namespace ktstr {
template <>
inline constexpr auto describe<engine::protocol::CaptureThreads> =
    record<engine::protocol::CaptureThreads>("capture_threads", "captures a profile of every thread");
template <>
inline constexpr auto describe<engine::protocol::ReadCapture> = record<engine::protocol::ReadCapture>(
    "read_capture", "asks for a part of the last capture",
    field("offset", &engine::protocol::ReadCapture::offset, "where the part begins, bytes"));
template <>
inline constexpr auto describe<engine::protocol::Captured> = record<engine::protocol::Captured>(
    "captured", "a capture is there to be read",
    field("bytes", &engine::protocol::Captured::bytes, "its size, compressed"));
template <>
inline constexpr auto describe<engine::protocol::CapturePart> = record<engine::protocol::CapturePart>(
    "capture_part", "bytes of a capture",
    field("base64", &engine::protocol::CapturePart::base64, "at most 1 MiB of them, in base64"));
}  // namespace ktstr
