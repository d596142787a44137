#include <doctest/doctest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/vmm/test_guest.h"
#include "vmm/kvm/probe.h"
#include "vmm/kvm/probe_payload.h"
#include "vmm/kvm/seccomp.h"

namespace ktstr::vmm::kvm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr Duration kGenerous{std::chrono::seconds(30)};  // KVM may be emulated here
constexpr Duration kHangs{std::chrono::seconds(3)};
constexpr auto kCleanUp = std::chrono::seconds(2);

std::ptrdiff_t entries_of(const char* directory) {
  return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
}

/// A thread is joined a moment before it is gone from /proc, and so is one that KVM made for a machine.
bool one_thread_is_left() {
  const auto until = Clock::now() + kCleanUp;
  while (entries_of("/proc/self/task") != 1)
    if (Clock::now() > until) return false;
  return true;
}

#define NEEDS_KVM() \
  if (const auto reason = why_no_kvm()) SKIP_TEST(*reason)

TEST_CASE("the probe passes where stock kernels boot") {
  NEEDS_KVM();
  const auto begin = Clock::now();
  const auto status = probe_kvm(kGenerous);
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
  MESSAGE("took " << took.count() << " ms");
  REQUIRE_MESSAGE(status, status.error().message);
}

TEST_CASE("a guest that hangs is reported with its stage, by the deadline") {
  NEEDS_KVM();
  for (const std::uint32_t stage :
       {KTSTR_PROBE_AT_PAGING, KTSTR_PROBE_AT_LSTAR, KTSTR_PROBE_AT_SECOND_CPU, KTSTR_PROBE_AT_REPORT}) {
    const auto begin = Clock::now();
    const auto status = run_probe({.deadline = kHangs, .hang_at = stage});
    CHECK(Clock::now() - begin < kHangs.chrono() + kCleanUp);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kTimeout);
    CHECK(status.error().message == std::string("KVM hangs at: ") + probe_stage_name(stage));
  }
}

TEST_CASE("a probe whose time is over before its guest runs says so") {
  NEEDS_KVM();
  const auto status = probe_kvm(Duration{});
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kUnavailable);
  CHECK(status.error().message == "KVM had no machine ready within 0s");
}

/// Of the thread of this process called `name`, or -1.
int seccomp_mode_of(const std::string& name) {
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string line;
    bool found = false;
    while (std::getline(status, line)) {
      found = found || line == "Name:\t" + name;
      if (found && line.starts_with("Seccomp:")) return std::stoi(line.substr(line.find('\t')));
    }
  }
  return -1;
}

TEST_CASE("the threads that run a guest are confined, no others") {
  NEEDS_KVM();
  if (!kThreadsAreConfined) SKIP_TEST("no filters under sanitizers");
  std::thread prober(
      [] { static_cast<void>(run_probe({.deadline = kHangs, .hang_at = KTSTR_PROBE_AT_REPORT})); });
  const auto until = Clock::now() + kHangs.chrono();
  int mode = -1;
  while (mode != SECCOMP_MODE_FILTER && Clock::now() < until) mode = seccomp_mode_of("vcpu 1");
  prober.join();
  CHECK(mode == SECCOMP_MODE_FILTER);
  CHECK(::prctl(PR_GET_SECCOMP) == SECCOMP_MODE_DISABLED);
}

TEST_CASE("a probe leaves no thread and no descriptor behind") {
  NEEDS_KVM();
  const auto fds = entries_of("/proc/self/fd");
  REQUIRE(one_thread_is_left());
  REQUIRE(probe_kvm(kGenerous));
  REQUIRE_FALSE(run_probe({.deadline = kHangs, .hang_at = KTSTR_PROBE_AT_LSTAR}));
  CHECK(entries_of("/proc/self/fd") == fds);
  CHECK(one_thread_is_left());
}

}  // namespace
}  // namespace ktstr::vmm::kvm
