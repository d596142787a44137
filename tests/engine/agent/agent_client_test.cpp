#include "engine/agent/agent_client.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/read.h"
#include "engine/base/write.h"

namespace ktstr::engine {
namespace {

using namespace protocol;

constexpr Duration kLong = std::chrono::seconds(20);

/// An agent that does what a test says, in a thread of its own.
class FakeAgent {
 public:
  explicit FakeAgent(std::function<void(int fd)> behaviour) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    client_.reset(ends[0]);
    thread_ = std::thread([fd = Fd(ends[1]), behaviour = std::move(behaviour)] { behaviour(fd.get()); });
  }
  ~FakeAgent() {
    client_.reset();
    thread_.join();
  }
  [[nodiscard]] int fd() const { return client_.get(); }

 private:
  Fd client_;
  std::thread thread_;
};

void reply(int fd, std::uint64_t id, Reply what) {
  (void)send_frame(fd, to_json(ReplyMessage{id, std::move(what)}), kLong);
}

std::uint64_t next_id(int fd) {
  const auto payload = receive_frame(fd, kLong);
  if (!payload) return 0;
  return from_json<RequestMessage>(*payload)->id;
}

}  // namespace

TEST_CASE("hello is what the agent said") {
  FakeAgent agent([](int fd) { reply(fd, 0, Hello{kVersion, "7.3.4", 4, 5, 6}); });
  const auto hello = AgentClient(agent.fd()).wait_hello(kLong);
  CHECK(hello.value().kernel_release == "7.3.4");
  CHECK(hello.value().cpus == 4);
}

TEST_CASE("an agent of another version is named as such") {
  FakeAgent agent([](int fd) { reply(fd, 0, Hello{kVersion + 1, "", 0, 0, 0}); });
  const auto hello = AgentClient(agent.fd()).wait_hello(kLong);
  REQUIRE_FALSE(hello.has_value());
  CHECK(hello.error().message ==
        fmt::format("the agent speaks protocol version {}, this program {}", kVersion + 1, kVersion));
}

TEST_CASE("an agent that never says hello is a timeout") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const Fd near(ends[0]);
  const Fd far(ends[1]);
  const auto hello = AgentClient(near.get()).wait_hello(std::chrono::milliseconds(1));
  REQUIRE_FALSE(hello.has_value());
  CHECK(hello.error().code == ErrorCode::kTimeout);
}

TEST_CASE("answers that nobody waits for do not extend the deadline") {
  FakeAgent agent([](int fd) {
    reply(fd, next_id(fd), Done{});
    const auto stale = to_json(ReplyMessage{1, Done{}});
    while (send_frame(fd, stale, kLong)) continue;
  });
  AgentClient client(agent.fd(), -1, std::chrono::milliseconds(50));
  REQUIRE(client.ask(AddCgroup{}).has_value());
  const auto second = client.ask(AddCgroup{});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::kTimeout);
}

TEST_CASE("a failed request becomes an error with the agent's code and words") {
  FakeAgent agent([](int fd) { reply(fd, next_id(fd), Failed{ErrorCode::kUnavailable, "no cpuset here"}); });
  const auto status = AgentClient(agent.fd()).ask(protocol::SetCpuset{"a", CpuSet{0}});
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kUnavailable);
  CHECK(status.error().message == "no cpuset here");
}

TEST_CASE("a refresh that the guest refuses is an error with its words") {
  FakeAgent agent([](int fd) {
    reply(fd, next_id(fd), Done{});
    reply(fd, next_id(fd), Failed{ErrorCode::kIo, "set the clock: Operation not permitted"});
  });
  AgentClient client(agent.fd());
  const Refresh request{std::vector<std::uint8_t>(kMinEntropyBytes, 7), 1};
  CHECK(client.ask(request).has_value());
  CHECK(client.ask(request).error().message == "set the clock: Operation not permitted");
}

TEST_CASE("the death of the agent is told, then and later") {
  FakeAgent agent([](int fd) { next_id(fd); });
  AgentClient client(agent.fd());
  CHECK(client.ask(FreezeCgroup{"a", true}).error().code == ErrorCode::kGuestFailed);
  CHECK(client.ask(FreezeCgroup{"a", true}).error().message ==
        "guest agent: the other side closed the channel");
}

TEST_CASE("an agent that goes while shutting down has done what it was asked") {
  FakeAgent agent([](int fd) { next_id(fd); });
  CHECK(AgentClient(agent.fd()).shut_down());
}

TEST_CASE("cancelling interrupts a wait, and the late answer is not taken for the next one's") {
  FakeAgent agent([](int fd) {
    const auto first = next_id(fd);
    const auto second = next_id(fd);
    reply(fd, first, Spawned{{1}});
    reply(fd, second, Done{});
  });
  const Fd cancel(::eventfd(1, EFD_CLOEXEC));
  AgentClient client(agent.fd(), cancel.get());
  CHECK(client.ask(SpawnWorkers{}).error().code == ErrorCode::kCancelled);
  client.ignore_cancel();
  CHECK(client.shut_down());
}

TEST_CASE("an answer of the wrong kind is corrupt") {
  FakeAgent agent([](int fd) { reply(fd, next_id(fd), Spawned{}); });
  CHECK(AgentClient(agent.fd()).ask(protocol::ReadFile{"/x"}).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("bytes that are no message are corrupt") {
  FakeAgent agent([](int fd) {
    next_id(fd);
    (void)send_frame(fd, "{\"id\":1,\"reply\":{\"type\":\"nonsense\"}}", kLong);
  });
  CHECK(AgentClient(agent.fd()).ask(protocol::ReadFile{"/x"}).error().code == ErrorCode::kCorrupt);
}

}  // namespace ktstr::engine
