// The KVM backend where there is no KVM: in a machine that QEMU emulates, with the kernel's own kvm-amd.
#include <doctest/doctest.h>

#include "tests/skip.h"
#include "tests/vmm/nested/nested_machine.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

bool is_missing(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnavailable;
}

NestedProgram scenario_run(const std::string& scenario) {
  NestedProgram run;
  run.program = KTSTR_PROGRAM;
  run.arguments = {"run", "/scenario.lua", "--backend", "kvm"};
  run.files = {{"scenario.lua", fs::path(KTSTR_SCENARIOS) / scenario, 0644}};
  return run;
}

}  // namespace

TEST_CASE("the live tests of the KVM machine pass") {
  NestedProgram tests;
  tests.program = KTSTR_LIVE_TESTS;
  const fs::path init(KTSTR_TEST_INIT);
  tests.files = {{init.relative_path().string(), init}};
  const auto outcome = run_nested(std::move(tests));
  if (!outcome && is_missing(outcome.error())) SKIP_TEST(outcome.error().message);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
  INFO(outcome->output);
  CHECK(outcome->output.find("no /dev/kvm") == std::string::npos);
  CHECK(outcome->output.find("Status: SUCCESS") != std::string::npos);
  CHECK(outcome->status == 0);
}

TEST_CASE("a scenario passes") {
  const auto outcome = run_nested(scenario_run("hello.lua"));
  if (!outcome && is_missing(outcome.error())) SKIP_TEST(outcome.error().message);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
  INFO(outcome->output);
  CHECK(outcome->output.find("PASS hello") != std::string::npos);
  CHECK(outcome->output.find(", kvm (emulated") != std::string::npos);
  CHECK(outcome->output.find("\nmonitor OK") != std::string::npos);
  CHECK(outcome->status == 0);
}

TEST_CASE("a scheduler is replaced under load") {
  auto run = scenario_run("replace_under_load.lua");
  run.tools = {KTSTR_SCHEDULER};
  if (!fs::exists(KTSTR_SCHEDULER)) SKIP_TEST("scx_ktstr is not built");
  const auto outcome = run_nested(std::move(run));
  if (!outcome && is_missing(outcome.error())) SKIP_TEST(outcome.error().message);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
  INFO(outcome->output);
  CHECK(outcome->output.find("PASS replace_under_load") != std::string::npos);
  CHECK(outcome->status == 0);
}

}  // namespace ktstr::vmm
