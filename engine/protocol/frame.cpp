#include "engine/protocol/frame.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace ktstr::engine::protocol {
namespace {

static_assert(std::endian::native == std::endian::little, "frame headers are written as they lie in memory");
static_assert(sizeof(FrameHeader) == 16);

/// A payload's memory grows with what has arrived, so that a damaged length alone can't make us allocate.
constexpr std::size_t kGrowth = 1U << 20;

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// Waits until `fd` can go on with `events` or has something to say about its end.
Status wait_for(int fd, short events, Deadline deadline, int cancel_fd) {
  pollfd fds[] = {{fd, events, 0}, {cancel_fd, POLLIN, 0}};
  const int ready = poll_until(fds, deadline);
  if (ready < 0) return system_error("wait on the channel");
  if (ready == 0) return Error{ErrorCode::kTimeout, "no answer on the channel in time"};
  if (fds[1].revents) return Error{ErrorCode::kCancelled, "interrupted"};
  if (events == POLLOUT && (fds[0].revents & events) == 0)
    return Error{ErrorCode::kGuestFailed, "the other side closed the channel"};
  return ok();  // a read tells what happened
}

/// Like write(2), without a signal or a wait where the fd allows it.
ssize_t write_some(int fd, std::string_view bytes) {
  return retry([&] {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 || errno != ENOTSOCK ? sent : ::write(fd, bytes.data(), bytes.size());
  });
}

Status write_until(int fd, std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto written = write_some(fd, bytes);
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && (errno == EPIPE || errno == ECONNRESET || errno == ENODEV))
      return Error{ErrorCode::kGuestFailed, "the other side closed the channel"};
    if (written < 0 && errno != EAGAIN) return system_error("write to the channel");
    KTSTR_TRY(wait_for(fd, POLLOUT, deadline, -1));
  }
  return ok();
}

}  // namespace

Status send_frame(int fd, std::string_view payload, Duration timeout) {
  if (payload.size() > kMaxPayload)
    return invalid_argument(
        fmt::format("a message of {} bytes does not fit into a frame ({})", payload.size(), kMaxPayload));
  const FrameHeader header{kFrameMagic, kVersion, static_cast<std::uint32_t>(payload.size()),
                           checksum(payload)};
  std::string frame(sizeof header, '\0');
  std::memcpy(frame.data(), &header, sizeof header);
  frame += payload;
  return write_until(fd, frame, deadline_after(timeout));
}

Status FrameReader::fill(char* into, std::size_t size, Deadline deadline, int cancel_fd) {
  while (filled_ < size) {
    KTSTR_TRY(wait_for(fd_, POLLIN, deadline, cancel_fd));
    const auto got = read_some(fd_, into + filled_, size - filled_);
    if (got > 0) {
      filled_ += static_cast<std::size_t>(got);
    } else if (got == 0 || errno == ECONNRESET || errno == ENODEV) {
      return Error{ErrorCode::kGuestFailed, filled_ == 0 && !in_payload_
                                                ? "the other side closed the channel"
                                                : "the channel ended within a frame"};
    } else if (errno != EAGAIN) {
      return system_error("read from the channel");
    }
  }
  return ok();
}

Status FrameReader::check_header() {
  if (header_.magic != kFrameMagic) return corrupted("not a frame: bad magic");
  if (header_.version != kVersion)
    return corrupted(
        fmt::format("the other side speaks protocol version {}, this side {}", header_.version, kVersion));
  if (header_.length > kMaxPayload)
    return corrupted(fmt::format("frame of {} bytes, above the limit of {}", header_.length, kMaxPayload));
  return ok();
}

Result<std::string> FrameReader::next(Duration timeout, int cancel_fd) {
  if (corrupt_) return corrupted("the channel was damaged earlier");
  const auto deadline = deadline_after(timeout);
  if (!in_payload_) {
    KTSTR_TRY(fill(reinterpret_cast<char*>(&header_), sizeof header_, deadline, cancel_fd));
    if (auto status = check_header(); !status) {
      corrupt_ = true;
      return std::move(status.error());
    }
    in_payload_ = true;
    filled_ = 0;
  }
  while (filled_ < header_.length) {
    payload_.resize(std::min<std::size_t>(header_.length, filled_ + kGrowth));
    KTSTR_TRY(fill(payload_.data(), payload_.size(), deadline, cancel_fd));
  }
  in_payload_ = false;
  filled_ = 0;
  if (checksum(payload_) != header_.crc32) {
    corrupt_ = true;
    return corrupted("frame with a wrong checksum");
  }
  return std::exchange(payload_, {});
}

Result<std::string> receive_frame(int fd, Duration timeout, int cancel_fd) {
  return FrameReader(fd).next(timeout, cancel_fd);
}

}  // namespace ktstr::engine::protocol
