// The scenarios that come with ktstr, run as a user runs them. Those that boot alike boot once.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/guest/guest_fixture.h"
#include "tests/run_command.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine::testing;
namespace fs = std::filesystem;

namespace {

using Scripts = std::vector<fs::path>;

bool has_scheduler(const fs::path& script) {
  std::ifstream file(script);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.find("scx_ktstr") != std::string::npos || text.find("require \"lib.") != std::string::npos;
}

Scripts shipped() {
  Scripts scripts;
  for (const auto& entry : fs::directory_iterator(KTSTR_SCENARIOS))
    if (entry.path().extension() == ".lua") scripts.push_back(entry.path());
  std::ranges::sort(scripts);
  return scripts;
}

Scripts shipped(bool with_scheduler) {
  auto scripts = shipped();
  std::erase_if(scripts, [&](const auto& script) { return has_scheduler(script) != with_scheduler; });
  return scripts;
}

/// Every `step`-th, from number `first` on.
Scripts part(const Scripts& scripts, std::size_t first, std::size_t step) {
  Scripts chosen;
  for (std::size_t i = first; i < scripts.size(); i += step) chosen.push_back(scripts[i]);
  return chosen;
}

/// Runs them in a folder of its own; each must pass.
void check_all_pass(const Scripts& scripts, const std::string& options = {}) {
  const test::TemporaryDirectory folder;
  auto command = "cd " + folder.path().string() +
                 " && PATH=$PATH:" + fs::path(SCX_KTSTR).parent_path().string() + " " + KTSTR_EXECUTABLE +
                 " run --ktap " + options;
  for (const auto& script : scripts) command += " " + script.string();
  const auto outcome = test::run_command(command);
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const auto passed = "\nok " + std::to_string(i + 1) + " " + scripts[i].stem().string() + "\n";
    CHECK_MESSAGE(outcome.output.find(passed) != std::string::npos, scripts[i].string());
  }
}

/// The newest cached kernel with sched_ext that is not the default one.
std::optional<std::string> older_kernel() {
  const auto standard = default_kernel();
  const auto store = engine::KernelStore::open();
  if (!standard || !store) return std::nullopt;
  const auto listing = store->list();
  if (!listing) return std::nullopt;
  for (const auto& kernel : listing->kernels)
    if (kernel.metadata.can_run_schedulers() && kernel.metadata.release != standard->metadata.release)
      return kernel.metadata.release;
  return std::nullopt;
}

std::size_t today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::days>(now).count());
}

}  // namespace

TEST_CASE("shipped scenarios without a scheduler pass, one half") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  check_all_pass(part(shipped(false), 0, 2));
}

TEST_CASE("shipped scenarios without a scheduler pass, the other half") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  check_all_pass(part(shipped(false), 1, 2));
}

TEST_CASE("shipped scenarios with a scheduler pass, one half") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  if (!fs::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet");
  check_all_pass(part(shipped(true), 0, 2));
}

TEST_CASE("shipped scenarios with a scheduler pass, the other half") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  if (!fs::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet");
  check_all_pass(part(shipped(true), 1, 2));
}

TEST_CASE("a fifth of the shipped scenarios, each day another, passes on an older kernel") {
  const auto kernel = older_kernel();
  if (!kernel) SKIP_TEST("no second kernel with sched_ext is cached: ktstr kernel fetch 6.18");
  if (!fs::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet");
  check_all_pass(part(shipped(), today() % 5, 5), "--kernel " + *kernel);
}
