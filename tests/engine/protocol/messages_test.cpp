#include "engine/protocol/messages.h"

#include <doctest/doctest.h>

#include <random>

#include "engine/base/read.h"
#include "engine/base/write.h"

namespace ktstr::engine::protocol {
namespace {

/// `message` after a way over the wire and back, as JSON.
template <class Message>
std::string there_and_back(const Message& message) {
  const auto received = from_json<Message>(to_json(message));
  REQUIRE_MESSAGE(received.has_value(), received.error().message);
  return to_json(*received);
}

std::vector<Request> all_requests() {
  return {AddCgroup{"a/b", CpuSet{0, 2}, 200, 1.5, ByteSize{1 << 20}, ByteSize{1 << 19}, 7},
          CaptureCgroupProcs{},
          AddCgroup{"a"},
          RemoveCgroup{"a"},
          SetCpuset{"a", CpuSet{1}},
          SetCpuset{"a", std::nullopt},
          SpawnWorkers{"a",
                       Sequence{{SpinPhase{}, SleepPhase{}, YieldPhase{}, IoPhase{}}},
                       {CpuSet{}, CpuSet{3}},
                       DeadlinePolicy{},
                       -5,
                       "x"},
          SpawnWorkers{std::nullopt, CpuSpin{7}, {}, FifoPolicy{3}, 0, ""},
          StopWorkers{"a"},
          StopWorkers{},
          SetAffinity{"a", {CpuSet{0}, CpuSet{}}},
          MoveTasks{"a", std::nullopt},
          FreezeCgroup{"a", false},
          ReadFile{"/proc/stat", 5, std::uint64_t{1} << 33},
          Shutdown{},
          PinBpfMap{17},
          Refresh{{0, 255, 7}, 1'700'000'000'123'456'789},
          CaptureThreads{},
          ReadCapture{1U << 20},
          FindTopology{}};
}

WorkerReport full_report() {
  return {42,
          "web",
          "cpu_spin",
          1,
          2,
          3,
          4,
          5,
          true,
          2,
          {1, 0},
          CpuSet{0, 1},
          6,
          1,
          7,
          8,
          std::nullopt,
          10,
          {11, 12},
          13,
          {"signaled", 11},
          "killed by the OOM killer (cgroup limit 64M)",
          "receiver",
          {CpuSet{}, CpuSet{1}},
          CpuSet{3},
          {{31, 63}, {1, 2}},
          60};
}

std::vector<Reply> all_replies() {
  return {Hello{1, "7.3.4", 4, 5, 6},
          Spawned{{1, 2}},
          Stopped{{full_report(), WorkerReport{}}},
          FileContent{"a\n\"", true},
          Done{},
          Failed{ErrorCode::kUnavailable, "no"},
          Captured{5},
          CapturePart{"Zm8="},
          CgroupProcs{{{"a", {1, 2}}, {"a/b", {}}}},
          FoundTopology{CpuSet{0, 1}, CpuSet{0}, std::vector{CpuSet{0}}, {}},
          FoundTopology{CpuSet{0}, CpuSet{0}, {}, std::vector{CpuSet{0}, CpuSet{}}}};
}

bool is_refused(const std::string& json) {
  return !from_json<RequestMessage>(json).has_value();
}

}  // namespace

TEST_CASE("every request survives the wire") {
  for (const auto& request : all_requests()) {
    const RequestMessage message{7, request};
    CHECK(there_and_back(message) == to_json(message));
  }
}

TEST_CASE("every reply survives the wire") {
  for (const auto& reply : all_replies()) {
    const ReplyMessage message{0, reply};
    CHECK(there_and_back(message) == to_json(message));
  }
}

TEST_CASE("every work type survives the wire") {
  const auto check = [](const Work& work) {
    const RequestMessage message{1, SpawnWorkers{"a", work, {CpuSet{0}}, NormalPolicy{}, 0, ""}};
    CHECK(there_and_back(message) == to_json(message));
  };
  [&]<class... T>(const std::variant<T...>&) { (check(T{}), ...); }(Work{});
}

TEST_CASE("what is absent stays absent") {
  const auto message = from_json<ReplyMessage>(to_json(ReplyMessage{3, Stopped{{full_report()}}}));
  const auto& report = std::get<Stopped>(message->reply).reports.at(0);
  CHECK(report.schedstat_run_delay_ns == 8);
  CHECK_FALSE(report.schedstat_run_count.has_value());
}

TEST_CASE("missing, unknown and mistyped members are refused") {
  CHECK(is_refused(R"({"id":1})"));
  CHECK(is_refused(R"({"request":{"type":"shutdown"}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"reboot"}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"remove_cgroup"}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"remove_cgroup","cgroup":5}})"));
  CHECK(is_refused(R"({"id":-1,"request":{"type":"shutdown"}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"shutdown","now":true}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"refresh","entropy":[256],"realtime_ns":1}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"refresh","entropy":"00","realtime_ns":1}})"));
  CHECK(is_refused(R"({"id":1,"request":{"type":"refresh","entropy":[1],"realtime_ns":-1}})"));
  CHECK_FALSE(is_refused(R"({"id":1,"request":{"type":"shutdown"}})"));
}

TEST_CASE("damaged JSON is refused or read, never fatal") {
  std::mt19937 random(7);
  for (const auto& request : {all_requests()[5], all_requests().back()}) {
    const auto good = to_json(RequestMessage{1, request});
    std::size_t refused = 0;
    for (int round = 0; round < 3000; ++round) {
      auto damaged = good;
      for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
      refused += is_refused(damaged);
    }
    CHECK(refused > 2500);
  }
}

TEST_CASE("a group's size is that of its type") {
  CHECK(work_group_size(CpuSpin{}) == 1);
  CHECK(work_group_size(PipeIo{}) == 2);
  CHECK(work_group_size(CachePipe{}) == 2);
  CHECK(work_group_size(FutexPingPong{}) == 2);
  CHECK(work_group_size(FutexFanOut{4, 1}) == 5);
  CHECK(work_group_size(MutexContention{3, 1, 1}) == 3);
}

TEST_CASE("only a fan-out has roles") {
  CHECK(work_role(FutexFanOut{4, 1}, 0) == "messenger");
  CHECK(work_role(FutexFanOut{4, 1}, 4) == "receiver");
  CHECK(work_role(PipeIo{}, 1).empty());
  CHECK(work_role(MutexContention{3, 1, 1}, 0).empty());
}

}  // namespace ktstr::engine::protocol
