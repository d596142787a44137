#include "engine/run/statistics.h"

namespace ktstr::engine {

Status set_statistics(Guest& guest, bool on, StatisticsReport& report) {
  report.asked = on;
  auto answer = guest.ask(protocol::SetStatistics{on});
  if (!answer && answer.error().code == ErrorCode::kIo) {
    report.problem = std::move(answer.error().message);
    return ok();
  }
  const auto switches = KTSTR_TRY(std::move(answer));
  report.bpf_programs = switches.bpf_programs;
  report.schedstats = switches.schedstats;
  return ok();
}

}  // namespace ktstr::engine
