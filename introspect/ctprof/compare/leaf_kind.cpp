#include "introspect/ctprof/compare/leaf_kind.h"

#include <fnmatch.h>

#include <string>

namespace ktstr::introspect::ctprof {
namespace {

using enum MergeRule;

// Documentation/admin-guide/cgroup-v2.rst; which of memory.stat are bytes: memcg_page_state_unit() of
// mm/memcontrol.c. Names of pressure end alike for the system, where it begins with the resource.
constexpr LeafKind kKinds[] = {
    {"cpu.usage_usec", "us", kSum, true},
    {"cpu.nr_throttled", "", kSum, true},
    {"cpu.throttled_usec", "us", kSum, true},
    {"cpu.max_*_usec", "us", kCpuMax},
    {"cpu.weight*", "", kRange},
    {"memory.low", "bytes", kLeast},
    {"memory.min", "bytes", kLeast},
    {"memory.events.*", "", kSum, true},
    {"memory.stat.pg*", "", kSum, true},
    {"memory.stat.workingset_*", "", kSum, true},
    {"memory.stat.thp_*", "", kSum, true},
    {"memory.stat.numa_*", "", kSum, true},
    {"memory.stat.zswp*", "", kSum, true},
    {"memory.stat.swpin_zero", "", kSum, true},
    {"memory.stat.swpout_zero", "", kSum, true},
    {"memory.*", "bytes", kGreatest},
    {"*.total_usec", "us", kSum, true},
    {"*.avg10", "percent/100", kGreatest},
    {"*.avg60", "percent/100", kGreatest},
    {"*.avg300", "percent/100", kGreatest},
    {"hotplug_seq", "", kSum, true},
    {"enable_seq", "", kSum, true},
    {"*", "", kGreatest},
};

}  // namespace

const LeafKind& leaf_kind(std::string_view name) {
  const std::string text(name);
  const auto* kind = kKinds;
  while (::fnmatch(std::string(kind->pattern).c_str(), text.c_str(), 0) != 0) ++kind;  // the last one fits
  return *kind;
}

}  // namespace ktstr::introspect::ctprof
