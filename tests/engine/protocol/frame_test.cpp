#include "engine/protocol/frame.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <random>
#include <thread>

#include "engine/base/fd.h"

namespace ktstr::engine::protocol {
namespace {

constexpr Duration kLong = std::chrono::seconds(20);
constexpr Duration kNone = std::chrono::nanoseconds(0);

/// Two ends of a channel.
struct Channel {
  Fd near;
  Fd far;
};

Channel socket_channel() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

void write_raw(const Fd& fd, std::string_view bytes) {
  REQUIRE(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

std::string frame_of(std::string_view payload) {
  auto [near, far] = socket_channel();
  REQUIRE(send_frame(near.get(), payload, kLong));
  std::string bytes(sizeof(FrameHeader) + payload.size(), '\0');
  REQUIRE(::recv(far.get(), bytes.data(), bytes.size(), MSG_WAITALL) == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

/// What a reader says of these bytes followed by the end of the stream.
Result<std::string> read_bytes(std::string_view bytes) {
  auto [near, far] = socket_channel();
  write_raw(near, bytes);
  near.reset();
  return receive_frame(far.get(), kLong);
}

Error error_of(Result<std::string> result) {
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

std::string with_header(FrameHeader header, std::string_view payload) {
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes.append(payload);
}

}  // namespace

TEST_CASE("frames come out as they went in, one after the other") {
  auto [near, far] = socket_channel();
  REQUIRE(send_frame(near.get(), "{\"a\":1}", kLong));
  REQUIRE(send_frame(near.get(), "", kLong));
  REQUIRE(send_frame(near.get(), std::string("\0\xff", 2), kLong));
  FrameReader reader(far.get());
  CHECK(reader.next(kLong).value() == "{\"a\":1}");
  CHECK(reader.next(kLong).value() == "");
  CHECK(reader.next(kLong).value() == std::string("\0\xff", 2));
}

TEST_CASE("a payload larger than the channel's buffers passes in parts") {
  auto [near, far] = socket_channel();
  std::string payload(5 << 20, 'x');
  payload[1234567] = 'y';
  Status sent = ok();
  std::thread sender([&] { sent = send_frame(near.get(), payload, kLong); });
  const auto received = receive_frame(far.get(), kLong);
  sender.join();
  CHECK(sent);
  CHECK(received.value() == payload);
}

TEST_CASE("frames pass over pipes in non-blocking mode") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const std::string payload(1 << 20, 'p');
  Status sent = ok();
  std::thread sender([&] { sent = send_frame(write_end.get(), payload, kLong); });
  const auto received = receive_frame(read_end.get(), kLong);
  sender.join();
  CHECK(sent);
  CHECK(received.value() == payload);
}

TEST_CASE("a frame that is half there at the deadline is continued") {
  auto [near, far] = socket_channel();
  const auto bytes = frame_of("continued");
  FrameReader reader(far.get());
  for (const auto& [from, to] : {std::pair{0, 5}, {5, 16}, {16, 20}}) {
    write_raw(near, std::string_view(bytes).substr(from, to - from));
    CHECK(error_of(reader.next(kNone)).code == ErrorCode::kTimeout);
  }
  write_raw(near, std::string_view(bytes).substr(20));
  CHECK(reader.next(kLong).value() == "continued");
}

TEST_CASE("reading ends when the cancel fd is readable") {
  auto [near, far] = socket_channel();
  const Fd cancel(::eventfd(1, EFD_CLOEXEC));
  CHECK(error_of(receive_frame(far.get(), kLong, cancel.get())).code == ErrorCode::kCancelled);
}

TEST_CASE("a closed peer is an error and no signal") {
  auto [near, far] = socket_channel();
  far.reset();
  const auto sent = send_frame(near.get(), "x", kLong);
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == ErrorCode::kGuestFailed);
  CHECK(error_of(receive_frame(near.get(), kLong)).code == ErrorCode::kGuestFailed);
}

TEST_CASE("a writer whose peer does not read stops at its deadline") {
  auto [near, far] = socket_channel();
  const auto sent = send_frame(near.get(), std::string(8 << 20, 'x'), std::chrono::milliseconds(1));
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == ErrorCode::kTimeout);
}

TEST_CASE("a payload above the limit is refused before anything is sent") {
  auto [near, far] = socket_channel();
  const auto sent = send_frame(near.get(), std::string(kMaxPayload + 1, 'x'), kLong);
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == ErrorCode::kInvalidArgument);
  CHECK(error_of(receive_frame(far.get(), kNone)).code == ErrorCode::kTimeout);
}

TEST_CASE("each kind of damage is told apart") {
  CHECK(error_of(read_bytes(with_header({1, kVersion, 0, 0}, ""))).message == "not a frame: bad magic");
  CHECK(error_of(read_bytes(with_header({kFrameMagic, 99, 0, 0}, ""))).message ==
        fmt::format("the other side speaks protocol version 99, this side {}", kVersion));
  CHECK(error_of(read_bytes(with_header({kFrameMagic, kVersion, kMaxPayload + 1, 0}, ""))).message ==
        "frame of 67108865 bytes, above the limit of 67108864");
  CHECK(error_of(read_bytes(with_header({kFrameMagic, kVersion, 4, 1}, "abcd"))).message ==
        "frame with a wrong checksum");
}

TEST_CASE("after damage the borders of frames are lost for good") {
  auto [near, far] = socket_channel();
  FrameReader reader(far.get());
  write_raw(near, with_header({1, kVersion, 0, 0}, ""));
  REQUIRE(send_frame(near.get(), "good", kLong));
  CHECK(error_of(reader.next(kLong)).code == ErrorCode::kCorrupt);
  CHECK(error_of(reader.next(kLong)).code == ErrorCode::kCorrupt);
}

TEST_CASE("a frame cut off anywhere is an error") {
  const auto bytes = frame_of("payload");
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK(error_of(read_bytes(std::string_view(bytes).substr(0, length))).code == ErrorCode::kGuestFailed);
}

TEST_CASE("every single flipped bit of a frame is noticed") {
  const auto bytes = frame_of("payload");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(read_bytes(damaged).has_value());
  }
}

TEST_CASE("random bytes are never a frame") {
  std::mt19937 random(42);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    // Every other round gets past the magic and version.
    if (round % 2 == 0 && bytes.size() >= 8) {
      const std::uint32_t start[] = {kFrameMagic, kVersion};
      std::memcpy(bytes.data(), start, sizeof start);
    }
    CHECK_FALSE(read_bytes(bytes).has_value());
  }
}

}  // namespace ktstr::engine::protocol
