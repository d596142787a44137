#include "engine/run/statistics.h"

namespace ktstr::engine {

Status set_statistics(Guest& guest, bool on, StatisticsReport& report) {
  report.asked = on;
  auto reply = guest.ask(protocol::SetStatistics{on});
  if (!reply && reply.error().code == ErrorCode::kIo) {
    report.problem = std::move(reply.error().message);
    return ok();
  }
  const auto answer = KTSTR_TRY(std::move(reply));
  const auto* switches = std::get_if<protocol::StatisticsSwitches>(&answer);
  if (!switches) return Error{ErrorCode::kCorrupt, "the agent answered with a reply of another kind"};
  report.bpf_programs = switches->bpf_programs;
  report.schedstats = switches->schedstats;
  return ok();
}

}  // namespace ktstr::engine
