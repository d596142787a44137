#include "vmm/qemu/qmp.h"
#include "tests/deadline.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <future>

namespace ktstr::vmm::qemu {
namespace {

using namespace std::chrono_literals;

using ktstr::test::in;

/// QEMU's end of the connection, played by the test.
class FakeQemu {
 public:
  FakeQemu() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ours_ = Fd(ends[0]);
    theirs_ = Fd(ends[1]);
  }
  Fd take_client() { return std::move(theirs_); }
  void say(std::string_view text) {
    REQUIRE(::send(ours_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  std::string hear() {
    std::string line;
    for (char byte = 0; ::recv(ours_.get(), &byte, 1, 0) == 1 && byte != '\n';) line += byte;
    return line;
  }
  /// What was sent at once, and the descriptor that came with it.
  std::pair<std::string, Fd> hear_with_descriptor() {
    std::array<char, 1024> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto count = ::recvmsg(ours_.get(), &message, MSG_CMSG_CLOEXEC);
    REQUIRE(count > 0);
    int fd = -1;
    if (const auto* header = CMSG_FIRSTHDR(&message)) std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return {std::string(text.data(), static_cast<std::size_t>(count)), Fd(fd)};
  }
  void hang_up() { ours_.reset(); }

 private:
  Fd ours_, theirs_;
};

}  // namespace

TEST_CASE("a handshake waits for the greeting and leaves negotiation mode") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  auto shaken = std::async(std::launch::async, [&] { return qmp.handshake(in(10s)); });
  qemu.say("{\"QMP\": {\"version\": {}}}\r\n");
  CHECK(qemu.hear() == R"({"execute":"qmp_capabilities","id":1})");
  qemu.say("{\"return\": {}, \"id\": 1}\r\n");
  CHECK(shaken.get().has_value());
}

TEST_CASE("an answer is found among events, in pieces, by its id") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  auto reply = std::async(std::launch::async, [&] {
    return qmp.execute("human-monitor-command", {{"command-line", Value{std::string("info \"x\"")}}},
                       in(10s));
  });
  CHECK(qemu.hear() ==
        R"({"execute":"human-monitor-command","id":1,"arguments":{"command-line":"info \"x\""}})");
  qemu.say("{\"event\": \"RESUME\"}\r\n{\"return\": \"other\", \"id\": 7}\r\nnot json\r\n{\"return\": \"te");
  qemu.say("xt\\r\\n\", \"id\": 1}\r\n");
  CHECK(*reply.get()->get_if<std::string>() == "text\r\n");
}

TEST_CASE("a refusal carries QEMU's words") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  auto reply = std::async(std::launch::async, [&] { return qmp.execute("stop", {}, in(10s)); });
  qemu.hear();
  qemu.say(R"({"id": 1, "error": {"class": "GenericError", "desc": "not now"}})"
           "\r\n");
  const auto result = reply.get();
  CHECK(result.error().code == ErrorCode::kUnavailable);
  CHECK(result.error().message == "QEMU refuses stop: not now");
}

TEST_CASE("a silent QEMU is a timeout, and its late answer belongs to nobody") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  CHECK(qmp.execute("stop", {}, in(1ms)).error().code == ErrorCode::kTimeout);
  qemu.hear();
  auto reply = std::async(std::launch::async, [&] { return qmp.execute("cont", {}, in(10s)); });
  CHECK(qemu.hear() == R"({"execute":"cont","id":2})");
  qemu.say("{\"return\": 1, \"id\": 1}\r\n{\"return\": 2, \"id\": 2}\r\n");
  CHECK(*reply.get()->get_if<std::int64_t>() == 2);
}

TEST_CASE("a QEMU that hangs up fails the command that waits and every later one") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  auto reply = std::async(std::launch::async, [&] { return qmp.execute("stop", {}, in(10s)); });
  qemu.hear();
  qemu.hang_up();
  CHECK(reply.get().error().code == ErrorCode::kIo);
  CHECK(qmp.execute("cont", {}, in(10s)).error().code == ErrorCode::kIo);
}

TEST_CASE("the reason of the first shutdown is waited for and kept") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  qemu.say(R"({"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}})"
           "\r\n");
  qmp.wait_shutdown();
  CHECK(qmp.shutdown_reason() == "guest-reset");
  qemu.say(R"({"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}})"
           "\r\n");
  qemu.hang_up();
  qmp.wait_closed();
  CHECK(qmp.shutdown_reason() == "guest-reset");
}

TEST_CASE("who waits for a shutdown also learns that there will be none") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  qemu.hang_up();
  qmp.wait_shutdown();
  CHECK_FALSE(qmp.shutdown_reason());
}

TEST_CASE("the end of a migration is waited for, once it was forgotten how the last one ended") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  qemu.say("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"active\"}}\r\n");
  qemu.say("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"completed\"}}\r\n");
  CHECK(qmp.wait_migration(in(10s)).value() == "completed");
  qmp.forget_migration();
  CHECK(qmp.wait_migration(in(1ms)).error().code == ErrorCode::kTimeout);
  qemu.say("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"failed\"}}\r\n");
  CHECK(qmp.wait_migration(in(10s)).value() == "failed");
  qmp.forget_migration();
  qemu.hang_up();
  CHECK(qmp.wait_migration(in(10s)).error().code == ErrorCode::kIo);
}

TEST_CASE("a descriptor goes with the command that names it") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  const Fd file(::memfd_create("test", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), "text", 4) == 4);
  auto given =
      std::async(std::launch::async, [&] { return qmp.give_descriptor("name", file.get(), in(10s)); });
  const auto [line, received] = qemu.hear_with_descriptor();
  CHECK(line == R"({"execute":"getfd","id":1,"arguments":{"fdname":"name"}})"
                "\n");
  std::array<char, 4> text{};
  CHECK(::pread(received.get(), text.data(), text.size(), 0) == 4);
  CHECK(std::string_view(text.data(), text.size()) == "text");
  qemu.say("{\"return\": {}, \"id\": 1}\r\n");
  CHECK(given.get().has_value());
}

TEST_CASE("whoever makes the machine run learns when it has begun to") {
  FakeQemu qemu;
  Qmp qmp(qemu.take_client());
  const auto seen = qmp.resumes();
  CHECK(qmp.wait_resumed(seen, in(10ms)).error().code == ErrorCode::kTimeout);
  qemu.say("{\"event\": \"STOP\", \"timestamp\": {}}\n{\"event\": \"RESUME\", \"timestamp\": {}}\n");
  CHECK(qmp.wait_resumed(seen, in(60s)).has_value());
  CHECK(qmp.resumes() == seen + 1);
  CHECK_FALSE(qmp.wait_resumed(seen + 1, in(10ms)).has_value());
  qemu.hang_up();
  CHECK(qmp.wait_resumed(seen + 1, in(60s)).error().code == ErrorCode::kIo);
}

}  // namespace ktstr::vmm::qemu
