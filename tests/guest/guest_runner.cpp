// Runs a small scenario and says on stdout which stage begins, for tests that interrupt or kill it.
// Exit code: as `ktstr run`.
#include <cstdio>

#include "engine/run/interrupt.h"
#include "engine/run/runner.h"
#include "tests/guest/small_scenario.h"

using namespace ktstr;
using namespace ktstr::engine;

int main() {
  const auto interrupt = Interrupt::install();
  if (!interrupt) return 3;
  RunOptions options;
  options.stop_fd = (*interrupt)->stop_fd();
  options.progress = [last = std::string_view()](const Progress& at) mutable {
    if (last == stage_name(at.stage)) return;
    last = stage_name(at.stage);
    std::printf("%s\n", last.data());
    std::fflush(stdout);
  };
  const auto report = run_scenario(testing::small_scenario("interrupted"), options);
  if (report) return exit_code(report->verdict);
  return report.error().code == ErrorCode::kCancelled ? 130 : 3;
}
