#include "engine/protocol/frame.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace ktstr::engine::protocol {
namespace {

static_assert(std::endian::native == std::endian::little, "frame headers are written as they lie in memory");
static_assert(sizeof(FrameHeader) == 16);

/// A payload's memory grows with what has arrived, so that a damaged length alone can't make us allocate.
constexpr std::size_t kGrowth = 1U << 20;

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::int64_t deadline_after(Duration timeout) {
  const auto now = now_ns();
  return timeout.ns > INT64_MAX - now ? INT64_MAX : now + timeout.ns;
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// Waits until `fd` can go on with `events` or has something to say about its end.
Status wait_for(int fd, short events, std::int64_t deadline_ns, int cancel_fd) {
  while (true) {
    const auto left_ns = std::max<std::int64_t>(deadline_ns - now_ns(), 0);
    const timespec left{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
    pollfd fds[] = {{fd, events, 0}, {cancel_fd, POLLIN, 0}};
    const int ready = ::ppoll(fds, 2, &left, nullptr);
    if (ready < 0 && errno != EINTR) return system_error("wait on the channel");
    if (ready > 0 && fds[1].revents) return Error{ErrorCode::kCancelled, "interrupted"};
    if (ready > 0 && (fds[0].revents & events)) return ok();
    if (ready > 0 && events == POLLOUT)
      return Error{ErrorCode::kGuestFailed, "the other side closed the channel"};
    if (ready > 0) return ok();  // the read tells what happened
    if (ready == 0 && left_ns == 0) return Error{ErrorCode::kTimeout, "no answer on the channel in time"};
  }
}

/// Like write(2), without a signal or a wait where the fd allows it.
ssize_t write_some(int fd, std::string_view bytes) {
  const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return ::write(fd, bytes.data(), bytes.size());
}

Status write_all(int fd, std::string_view bytes, std::int64_t deadline_ns) {
  while (!bytes.empty()) {
    const auto written = write_some(fd, bytes);
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && (errno == EPIPE || errno == ECONNRESET || errno == ENODEV))
      return Error{ErrorCode::kGuestFailed, "the other side closed the channel"};
    if (written < 0 && !would_block(errno)) return system_error("write to the channel");
    KTSTR_TRY(wait_for(fd, POLLOUT, deadline_ns, -1));
  }
  return ok();
}

}  // namespace

Status send_frame(int fd, std::string_view payload, Duration timeout) {
  if (payload.size() > kMaxPayload)
    return Error{ErrorCode::kInvalidArgument, "a message of " + std::to_string(payload.size()) +
                                                  " bytes does not fit into a frame (" +
                                                  std::to_string(kMaxPayload) + ")"};
  const FrameHeader header{kFrameMagic, kVersion, static_cast<std::uint32_t>(payload.size()),
                           checksum(payload)};
  std::string frame(sizeof header, '\0');
  std::memcpy(frame.data(), &header, sizeof header);
  frame += payload;
  return write_all(fd, frame, deadline_after(timeout));
}

Status FrameReader::fill(char* into, std::size_t size, std::int64_t deadline_ns, int cancel_fd) {
  while (filled_ < size) {
    KTSTR_TRY(wait_for(fd_, POLLIN, deadline_ns, cancel_fd));
    const auto got = ::read(fd_, into + filled_, size - filled_);
    if (got > 0) {
      filled_ += static_cast<std::size_t>(got);
    } else if (got == 0 || errno == ECONNRESET || errno == ENODEV) {
      return Error{ErrorCode::kGuestFailed, filled_ == 0 && !in_payload_
                                                ? "the other side closed the channel"
                                                : "the channel ended within a frame"};
    } else if (!would_block(errno)) {
      return system_error("read from the channel");
    }
  }
  return ok();
}

Status FrameReader::check_header() {
  if (header_.magic != kFrameMagic) return Error{ErrorCode::kCorrupt, "not a frame: bad magic"};
  if (header_.version != kVersion)
    return Error{ErrorCode::kCorrupt, "the other side speaks protocol version " +
                                          std::to_string(header_.version) + ", this side " +
                                          std::to_string(kVersion)};
  if (header_.length > kMaxPayload)
    return Error{ErrorCode::kCorrupt, "frame of " + std::to_string(header_.length) +
                                          " bytes, above the limit of " + std::to_string(kMaxPayload)};
  return ok();
}

Result<std::string> FrameReader::next(Duration timeout, int cancel_fd) {
  if (corrupt_) return Error{ErrorCode::kCorrupt, "the channel was damaged earlier"};
  const auto deadline_ns = deadline_after(timeout);
  if (!in_payload_) {
    KTSTR_TRY(fill(reinterpret_cast<char*>(&header_), sizeof header_, deadline_ns, cancel_fd));
    if (auto status = check_header(); !status) return corrupt_ = true, std::move(status.error());
    in_payload_ = true;
    filled_ = 0;
  }
  while (filled_ < header_.length) {
    payload_.resize(std::min<std::size_t>(header_.length, filled_ + kGrowth));
    KTSTR_TRY(fill(payload_.data(), payload_.size(), deadline_ns, cancel_fd));
  }
  in_payload_ = false;
  filled_ = 0;
  if (checksum(payload_) != header_.crc32) {
    corrupt_ = true;
    return Error{ErrorCode::kCorrupt, "frame with a wrong checksum"};
  }
  return std::exchange(payload_, {});
}

Result<std::string> receive_frame(int fd, Duration timeout, int cancel_fd) {
  return FrameReader(fd).next(timeout, cancel_fd);
}

}  // namespace ktstr::engine::protocol
