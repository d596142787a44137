// What the numbers beside threads are: members of CgroupStats, Pressure and SchedExtState, by dotted name.
#pragma once

#include <cstdint>
#include <string_view>

namespace ktstr::introspect::ctprof {

/// How the values of several cgroups that go by one name become one.
enum class MergeRule : std::uint8_t {
  kSum,       ///< counters
  kGreatest,  ///< levels and upper limits; no limit ("max") is above all numbers
  kLeast,     ///< protections: what every one of them is sure of
  kRange,     ///< weights, which are relative to siblings
  kCpuMax,    ///< a quota and its period belong together: the greatest share of a CPU
};

struct LeafKind {
  std::string_view pattern;  ///< fnmatch(3)
  std::string_view unit;     ///< "us", "bytes", "percent/100" or "" for a plain number or name
  MergeRule merge = MergeRule::kGreatest;
  bool counter = false;  ///< the kernel only ever adds to it
};

/// The first that fits; a level without a unit where none does.
[[nodiscard]] const LeafKind& leaf_kind(std::string_view name);

}  // namespace ktstr::introspect::ctprof
