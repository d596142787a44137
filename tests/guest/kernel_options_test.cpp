// A scheduler that asks libbpf for options of the kernel (`extern ... __kconfig`).
#include <doctest/doctest.h>

#include <filesystem>

#include "engine/report/text.h"
#include "introspect/monitor/kernel_hz.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

Scenario with_readings(std::string name) {
  auto scenario = small_scenario(std::move(name));
  scenario.duration = 5s;
  scenario.scheduler.emplace();
  scenario.scheduler->name = "scx_kconfig";
  scenario.scheduler->path = std::filesystem::canonical(SCX_KCONFIG);
  scenario.expect.max_gap = Duration(30s);
  scenario.expect.max_spread_pct = 100;
  scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}},
                    {.ops = {ReadBpfMapOp{"kconfig.bss", "hz_seen", "hz"},
                             ReadBpfMapOp{"kconfig.data", "weak_seen", "weak"}},
                     .setup = {},
                     .hold = RestHold{}}};
  return scenario;
}

std::uint64_t number(const RunReport& report, std::size_t reading) {
  REQUIRE(report.map_readings.size() > reading);
  return report.map_readings[reading].value.as_u64().value();
}

}  // namespace

TEST_CASE("a scheduler reads the options of the kernel that it runs on") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  if (kernel->config.empty()) SKIP_TEST("the cached kernel's options are not known");
  if (!std::filesystem::exists(SCX_KCONFIG)) SKIP_TEST("scx_kconfig is not built yet");
  const test::TemporaryDirectory directory;
  RunOptions options;
  options.dump_dir = directory.path();
  const auto report = run_scenario(with_readings("kconfig"), options);
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  MESSAGE(to_text(*report));
  CHECK(report->verdict == Outcome::kPass);
  const auto hz = introspect::kernel_hz({.elf = kernel->elf, .config = kernel->config, .image = {}});
  CHECK(number(*report, 0) == hz.hz);  // 250 in Debian's
  CHECK(number(*report, 1) == 0);      // set from 7 to what a weak option without a value is
}
