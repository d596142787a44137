// The KVM backend where there is no KVM: in a machine that QEMU emulates, with the kernel's own kvm-amd.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <set>
#include <sstream>

#include "tests/skip.h"
#include "tests/vmm/nested/nested_machine.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

bool is_missing(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnavailable;
}

NestedProgram scenario_run(const fs::path& scenario) {
  NestedProgram run;
  run.program = KTSTR_PROGRAM;
  run.arguments = {"run", "/scenario.lua", "--backend", "kvm"};
  run.files = {{"scenario.lua", scenario, 0644}};
  return run;
}

/// What a command of this host writes.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char bytes[4096];
  for (std::size_t count = 0; (count = std::fread(bytes, 1, sizeof(bytes), pipe)) > 0;)
    output.append(bytes, count);
  ::pclose(pipe);
  return output;
}

/// The members that sample_shape.lua has printed.
std::set<std::string> shape_in(const std::string& output) {
  std::set<std::string> shape;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("shape ")) shape.insert(line.substr(0, line.find_last_not_of("\r") + 1));
  return shape;
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
  CHECK(outcome->output.find("no KVM that boots kernels") == std::string::npos);
  CHECK(outcome->output.find("Status: SUCCESS") != std::string::npos);
  CHECK(outcome->status == 0);
}

TEST_CASE("a scenario passes") {
  const auto outcome = run_nested(scenario_run(fs::path(KTSTR_SCENARIOS) / "hello.lua"));
  if (!outcome && is_missing(outcome.error())) SKIP_TEST(outcome.error().message);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
  INFO(outcome->output);
  CHECK(outcome->output.find("PASS hello") != std::string::npos);
  CHECK(outcome->output.find(", kvm (emulated") != std::string::npos);
  CHECK(outcome->output.find("\nmonitor OK") != std::string::npos);
  CHECK(outcome->status == 0);
}

TEST_CASE("a scheduler is replaced under load") {
  auto run = scenario_run(fs::path(KTSTR_SCENARIOS) / "replace_under_load.lua");
  run.tools = {KTSTR_SCHEDULER};
  if (!fs::exists(KTSTR_SCHEDULER)) SKIP_TEST("scx_ktstr is not built");
  const auto outcome = run_nested(std::move(run));
  if (!outcome && is_missing(outcome.error())) SKIP_TEST(outcome.error().message);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
  INFO(outcome->output);
  CHECK(outcome->output.find("PASS replace_under_load") != std::string::npos);
  CHECK(outcome->status == 0);
}

TEST_CASE(
    "the monitor's samples have the members that those of QEMU's machine have, and the vCPUs' own time") {
  const auto outcome = run_nested(scenario_run(KTSTR_SAMPLE_SHAPE));
  if (!outcome && is_missing(outcome.error())) SKIP_TEST(outcome.error().message);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().message);
  INFO(outcome->output);
  auto of_kvm = shape_in(outcome->output);
  const auto of_qemu = shape_in(output_of(KTSTR_PROGRAM " run " KTSTR_SAMPLE_SHAPE " --backend qemu"));
  REQUIRE(of_qemu.size() > 10);
  // One thread of QEMU runs all vCPUs: its time is nobody's alone.
  CHECK(of_kvm.erase("shape samples[].cpus[].vcpu_cpu_time_ns: number") == 1);
  CHECK(of_kvm == of_qemu);
}

}  // namespace ktstr::vmm
