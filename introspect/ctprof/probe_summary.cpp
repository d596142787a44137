#include "introspect/ctprof/probe_summary.h"

#include "introspect/ctprof/summaries.h"

namespace ktstr::introspect::ctprof {
namespace {

bool for_want_of_privilege(ProbeFailure failure) {
  return failure == ProbeFailure::kSeize || failure == ProbeFailure::kInterrupt;
}

}  // namespace

ProbeSummary ProbeTally::summary() const {
  ProbeSummary summary = summary_;
  std::map<std::string, std::uint64_t> actionable;
  std::uint64_t refused = 0;
  for (const auto& [failure, count] : failures_) {
    const std::string name(enum_name(failure));
    summary.outcomes_without_counters[name] = count;
    if (!is_actionable(failure)) continue;
    actionable[name] = count;
    summary.failed += count;
    if (for_want_of_privilege(failure)) refused += count;
  }
  summary.dominant_failure = dominant(actionable);
  summary.privilege_dominant = dominates(refused, summary.failed);
  return summary;
}

}  // namespace ktstr::introspect::ctprof
