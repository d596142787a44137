// The numbers beside threads: the leaves of CgroupStats, Pressure and SchedExtState, each under its dotted
// name
// ("cpu.usage_usec"), and what each is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/write.h"
#include "introspect/ctprof/compare/aggregate.h"

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

using Leaves = std::map<std::string, Aggregate>;

/// A SAX sink that collects leaves. Null is absent, a number a Total when the kernel only ever adds to it and
/// else a Most, a string a Mode. Lists have no leaves.
class LeafSink {
 public:
  explicit LeafSink(Leaves& leaves) : leaves_(leaves) {}

  bool Null() { return put({}); }
  bool Bool(bool value) { return put(Mode{value ? "true" : "false", 1, 1}); }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Int64(std::int64_t value) { return put(Derived{static_cast<double>(value)}); }
  bool Uint64(std::uint64_t value);
  bool Double(double value) { return put(Derived{value}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return put(Mode{std::string(text, size), 1, 1});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool);
  bool StartObject();
  bool EndObject(rapidjson::SizeType);
  bool StartArray() { return true; }
  bool EndArray(rapidjson::SizeType) { return true; }

 private:
  [[nodiscard]] std::string name() const;
  bool put(Aggregate aggregate);

  Leaves& leaves_;
  std::vector<std::string> path_;
};

template <class T>
[[nodiscard]] Leaves leaves_of(const T& value) {
  Leaves leaves;
  LeafSink sink(leaves);
  write(sink, value);
  return leaves;
}

/// Adds the leaves of another cgroup that goes by the same name, by the rule of each (leaf_kind()).
void merge_leaves(Leaves& into, const Leaves& from);

}  // namespace ktstr::introspect::ctprof
