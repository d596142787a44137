// Runs that go on from the guest of an earlier one.
#include <doctest/doctest.h>
#include <fmt/ranges.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "engine/base/write.h"
#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;

namespace {

/// A snapshot that can't be forked.
class UselessSnapshot final : public vmm::MachineSnapshot {
 public:
  Result<std::unique_ptr<vmm::Machine>> fork(const std::filesystem::path&) const override {
    return Error{ErrorCode::kIo, "no memory for a test"};
  }
};

BootKey key_of(const Scenario& scenario) {
  const auto key = planned_boot(scenario, {});
  REQUIRE_MESSAGE(key, key.error().message);
  REQUIRE(*key);
  return **key;
}

RunReport run(const Scenario& scenario, const RunOptions& options) {
  auto report = run_scenario(scenario, options);
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kPass);
  return std::move(*report);
}

/// Every key path of a JSON tree, those of a list's elements as one; and that of the list, if it has any.
void add_keys(const Value& value, const std::string& path, std::set<std::string>& keys) {
  if (const auto* object = value.get_if<Value::Object>())
    for (const auto& [key, member] : *object) {
      keys.insert(path + "." + key);
      add_keys(member, path + "." + key, keys);
    }
  if (const auto* list = value.get_if<Value::List>())
    for (const auto& element : *list) {
      keys.insert(path + "[]");
      add_keys(element, path + "[]", keys);
    }
}

std::set<std::string> keys_of(const RunReport& report) {
  std::set<std::string> keys;
  add_keys(parse_json(to_json(report)).value(), "", keys);
  return keys;
}

/// Keys that one report has and the other lacks, but for what is in lists that are empty in one of them: what
/// is listed there happened in one run and not in the other.
std::vector<std::string> differing_keys(const RunReport& a, const RunReport& b) {
  std::vector<std::string> differing;
  std::ranges::set_symmetric_difference(keys_of(a), keys_of(b), std::back_inserter(differing));
  const auto lists = differing;
  std::erase_if(differing, [&](const std::string& key) {
    return std::ranges::any_of(
        lists, [&](const std::string& list) { return list.ends_with("[]") && key.starts_with(list); });
  });
  return differing;
}

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the second of two runs alike is forked, passes, and its report has the first one's shape") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const ktstr::test::TemporaryDirectory directory;
  auto first = small_scenario("first"), second = small_scenario("second");
  first.kernel_args = second.kernel_args = {"loglevel=6"};  // a boot that is heard
  BootedGuests guests({key_of(first), key_of(second)});
  const auto booted = run(first, {.console_log = directory.path() / "first", .booted_guests = &guests});
  CHECK(booted.machine.origin == MachineOrigin::kBooted);
  CHECK_FALSE(booted.machine.fork_problem);
  CHECK(booted.timings.snapshot_ns);
  CHECK(guests.size() == 1);
  const auto forked = run(second, {.console_log = directory.path() / "second", .booted_guests = &guests});
  CHECK(forked.machine.origin == MachineOrigin::kForked);
  CHECK_FALSE(forked.machine.fork_problem);
  CHECK_FALSE(forked.timings.snapshot_ns);
  CHECK(guests.size() == 0);

  const auto differing = differing_keys(forked, booted);
  CHECK_MESSAGE(differing.empty(), fmt::format("{}", fmt::join(differing, ", ")));
  CHECK(forked.kernel.release == booted.kernel.release);
  CHECK(forked.machine.backend == booted.machine.backend);
  CHECK(*forked.timings.boot_ns < *booted.timings.boot_ns / 2);
  REQUIRE(forked.monitor);
  CHECK(forked.monitor->samples.begin()->elapsed_ns >= *forked.timings.boot_ns);
  CHECK(forked.monitor->failed_samples == 0);
  CHECK(contents(directory.path() / "first").find("Linux version") != std::string::npos);
  CHECK(contents(directory.path() / "second").find("Linux version") == std::string::npos);
  MESSAGE("ready after " << *booted.timings.boot_ns / 1'000'000 << " ms by boot, "
                         << *forked.timings.boot_ns / 1'000'000 << " ms by fork; snapshot "
                         << *booted.timings.snapshot_ns / 1'000'000 << " ms");
}

TEST_CASE("a fork that fails is followed by a boot, and the report says why") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto scenario = small_scenario("booted after all");
  BootedGuests guests({key_of(scenario), key_of(scenario)});
  guests.add(key_of(scenario), {std::make_unique<UselessSnapshot>(), "a release"});
  const auto report = run(scenario, {.booted_guests = &guests});
  CHECK(report.machine.origin == MachineOrigin::kBooted);
  CHECK(report.machine.fork_problem == "booted, not forked: no memory for a test");
  CHECK(report.kernel.release != "a release");
  CHECK(to_text(report).find("  fork: booted, not forked: no memory for a test\n") != std::string::npos);
  CHECK(report.timings.snapshot_ns);  // of a guest that is of use
  CHECK(guests.size() == 1);
}

TEST_CASE("a user who stops the run while it forks gets no boot instead") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto scenario = small_scenario("stopped");
  BootedGuests guests({key_of(scenario)});
  guests.add(key_of(scenario), {std::make_unique<UselessSnapshot>(), "a release"});
  const Fd stop(::eventfd(1, EFD_CLOEXEC));
  const auto report = run_scenario(scenario, {.booted_guests = &guests, .stop_fd = stop.get()});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kCancelled);
}

TEST_CASE("a scenario that the kernel can't run has no boot to plan") {
  const auto plain = kernel_without_sched_ext();
  if (!plain) SKIP_TEST("no kernel without sched_ext is cached");
  auto scenario = small_scenario("ext");
  scenario.cgroups["web"].works[0].policy = ExtPolicy{};
  const auto planned = planned_boot(scenario, {.kernel = *plain});
  REQUIRE(planned);
  CHECK_FALSE(*planned);
}
