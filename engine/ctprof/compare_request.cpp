#include "engine/ctprof/compare_request.h"

namespace ktstr::engine {

namespace ctprof = introspect::ctprof;

ctprof::Comparison compare(const ctprof::Snapshot& before, const ctprof::Snapshot& after,
                           const CompareRequest& request) {
  ctprof::CompareOptions options;
  options.group = {request.group_by, request.normalize, request.cgroup_flatten};
  options.sections.insert(request.sections.begin(), request.sections.end());
  options.capturers = request.capturers;
  auto comparison = ctprof::compare(before, after, options);
  ctprof::keep_matching(comparison, request.filter, request.metric);
  if (!request.all) std::erase_if(comparison.rows, [](const auto& row) { return !ctprof::is_changed(row); });
  if (!request.by_name) ctprof::sort_by_relative_change(comparison.rows);
  return comparison;
}

}  // namespace ktstr::engine
