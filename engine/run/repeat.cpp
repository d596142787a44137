#include "engine/run/repeat.h"

namespace ktstr::engine {

Result<RunReport> run_repeating(const RunReport& blank, const AttemptFunction& attempt) {
  constexpr std::size_t kMostAttempts = 2;
  std::vector<std::string> faults;
  while (true) {
    auto report = blank;
    auto fault = KTSTR_TRY(attempt(report));
    if (fault) faults.push_back(std::move(fault->message));
    report.emulator_faults = faults;
    if (!fault) return report;
    if (faults.size() < kMostAttempts) continue;
    report.reason = "the emulator failed " + std::to_string(faults.size()) + " times: " + faults.back();
    return report;
  }
}

}  // namespace ktstr::engine
