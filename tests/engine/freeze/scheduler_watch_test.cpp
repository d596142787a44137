#include "engine/freeze/scheduler_watch.h"

#include <doctest/doctest.h>

#include <future>

#include "engine/freeze/scheduler_watch.h"

using namespace ktstr;
using namespace ktstr::engine;
using introspect::DumpCause;
using introspect::ScxExitKind;

namespace {

constexpr KernelVirt kFirst(0xffff888000001000), kSecond(0xffff888000002000);
constexpr bool kExpected = true, kUnexpected = false;

SchedulerEndDetector detector() {
  return SchedulerEndDetector([](std::uint32_t kind) { return kind >= 1024; });
}

}  // namespace

TEST_CASE("an error is told once for each scheduler, expected or not") {
  auto detect = detector();
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 0}, kUnexpected));
  const auto end = detect.look(ScxExitKind{kFirst, 1026}, kExpected);
  REQUIRE(end);
  CHECK(end->cause == DumpCause::kSchedulerError);
  CHECK(end->detail == "exit_kind turned to 1026");
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 1026}, kUnexpected));
  CHECK_FALSE(detect.look(std::nullopt, kUnexpected));
  CHECK_FALSE(detect.look(ScxExitKind{kSecond, 0}, kUnexpected));
  CHECK(detect.look(ScxExitKind{kSecond, 1024}, kUnexpected));
}

TEST_CASE("a scheduler that goes unasked has vanished") {
  auto detect = detector();
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 0}, kUnexpected));
  const auto end = detect.look(std::nullopt, kUnexpected);
  REQUIRE(end);
  CHECK(end->cause == DumpCause::kSchedulerVanished);
  CHECK_FALSE(detect.look(std::nullopt, kUnexpected));
}

TEST_CASE("unregistering unasked is told when it begins, and not again when it is done") {
  auto detect = detector();
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 0}, kUnexpected));
  const auto end = detect.look(ScxExitKind{kFirst, 64}, kUnexpected);
  REQUIRE(end);
  CHECK(end->cause == DumpCause::kSchedulerVanished);
  CHECK_FALSE(detect.look(std::nullopt, kUnexpected));
}

TEST_CASE("a scheduler that somebody ends is no news") {
  auto detect = detector();
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 0}, kUnexpected));
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 64}, kExpected));
  CHECK_FALSE(detect.look(std::nullopt, kExpected));
  CHECK_FALSE(detect.look(std::nullopt, kUnexpected));
}

TEST_CASE("another scheduler in the place of one means that the first has gone") {
  auto detect = detector();
  CHECK_FALSE(detect.look(ScxExitKind{kFirst, 0}, kUnexpected));
  const auto end = detect.look(ScxExitKind{kSecond, 0}, kUnexpected);
  REQUIRE(end);
  CHECK(end->detail == "another scheduler is in its place");
  CHECK_FALSE(detect.look(ScxExitKind{kSecond, 0}, kUnexpected));
}

TEST_CASE("the watch calls from its thread when a scheduler ends") {
  std::promise<SchedulerEnd> told;
  int looks = 0;
  const SchedulerWatch watch(
      [&]() -> Result<std::optional<ScxExitKind>> {
        return std::optional(ScxExitKind{kFirst, ++looks < 3 ? 0U : 1026U});
      },
      [](std::uint32_t kind) { return kind >= 1024; }, [&](const SchedulerEnd& end) { told.set_value(end); },
      std::chrono::milliseconds(1));
  CHECK(told.get_future().get().cause == DumpCause::kSchedulerError);
}

TEST_CASE("an end that is wanted while a look is under way is no news") {
  std::optional<SchedulerWatch::Expected> expected;
  std::atomic<SchedulerWatch*> ready = nullptr;
  std::atomic<bool> stopped = false;
  std::atomic<int> looks = 0, ends = 0;
  SchedulerWatch watch(
      [&]() -> Result<std::optional<ScxExitKind>> {
        ++looks;
        SchedulerWatch* own = ready;
        if (own && !stopped) {
          expected.emplace(*own);  // as another thread might, which then has the scheduler stopped
          stopped = true;
        }
        return stopped ? std::nullopt : std::optional(ScxExitKind{kFirst, 0});
      },
      [](std::uint32_t) { return false; }, [&](const SchedulerEnd&) { ++ends; },
      std::chrono::milliseconds(1));
  while (looks < 2) std::this_thread::yield();
  ready = &watch;
  while (!stopped) std::this_thread::yield();
  expected.reset();
  const int after = looks;
  while (looks < after + 2) std::this_thread::yield();
  CHECK(ends == 0);
}

TEST_CASE("what went while it was expected is no news afterwards") {
  std::atomic<bool> loaded = true;
  std::atomic<int> looks = 0, ends = 0;
  SchedulerWatch watch(
      [&]() -> Result<std::optional<ScxExitKind>> {
        ++looks;
        return loaded ? std::optional(ScxExitKind{kFirst, 0}) : std::nullopt;
      },
      [](std::uint32_t) { return false; }, [&](const SchedulerEnd&) { ++ends; },
      std::chrono::milliseconds(1));
  while (looks < 2) std::this_thread::yield();
  {
    const SchedulerWatch::Expected expected(watch);
    loaded = false;
  }
  const int after = looks;
  while (looks < after + 3) std::this_thread::yield();
  CHECK(ends == 0);
}
