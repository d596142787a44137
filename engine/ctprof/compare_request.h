// What a person or a script asks of a comparison.
#pragma once

#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/ctprof/compare/compare.h"

namespace ktstr::engine {

struct CompareRequest {
  introspect::ctprof::GroupBy group_by = introspect::ctprof::GroupBy::kPcomm;
  bool normalize = true;
  std::vector<std::string> cgroup_flatten;
  std::vector<introspect::ctprof::Section> sections;
  std::string filter;
  std::string metric;
  bool all = false;
  bool by_name = false;
  bool capturers = false;

  static consteval auto describe() {
    using T = CompareRequest;
    return record("options of ctprof.compare",
                  field<&T::group_by>("all, pcomm (the process's name), cgroup, comm or comm-exact"),
                  field<&T::normalize>("whether names that differ in numbers only are one group"),
                  field<&T::cgroup_flatten>("cgroups that match one of these globs are one group"),
                  field<&T::sections>("only these: primary, delays, derived, smaps-rollup, cgroup, pressure, "
                                      "sched-ext; all when empty"),
                  field<&T::filter>("only groups that match this glob"),
                  field<&T::metric>("only metrics that match this glob"),
                  field<&T::all>("what did not change, too"),
                  field<&T::by_name>("sorted by section, group and metric, not by relative change"),
                  field<&T::capturers>("the processes that captured, too"));
  }
};

/// Groups, compares, leaves out and sorts as asked.
[[nodiscard]] introspect::ctprof::Comparison compare(const introspect::ctprof::Snapshot& before,
                                                     const introspect::ctprof::Snapshot& after,
                                                     const CompareRequest& request);

}  // namespace ktstr::engine
