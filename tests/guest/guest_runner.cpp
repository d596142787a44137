// Runs a small scenario and says on stdout which stage begins, for tests that interrupt or kill it.
// Exit code: as `ktstr run`.
#include <cstdio>

#include "engine/run/interrupt.h"
#include "engine/run/runner.h"
#include "tests/guest/small_scenario.h"

using namespace ktstr;
using namespace ktstr::engine;

namespace {

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::kPreparing:
      return "preparing";
    case Stage::kBooting:
      return "booting";
    case Stage::kAttaching:
      return "attaching";
    case Stage::kSetup:
      return "setup";
    case Stage::kStep:
      return "step";
    case Stage::kCollecting:
      return "collecting";
    case Stage::kShutdown:
      return "shutdown";
  }
  return "?";
}

}  // namespace

int main() {
  const auto interrupt = Interrupt::install();
  if (!interrupt) return 3;
  RunOptions options;
  options.stop_fd = (*interrupt)->stop_fd();
  options.progress = [last = std::string()](const Progress& at) mutable {
    if (last == stage_name(at.stage)) return;
    last = stage_name(at.stage);
    std::printf("%s\n", last.c_str());
    std::fflush(stdout);
  };
  const auto report = run_scenario(testing::small_scenario("interrupted"), options);
  if (report) return exit_code(report->verdict);
  return report.error().code == ErrorCode::kCancelled ? 130 : 3;
}
