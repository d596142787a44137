// The leaves of a described value, each under its dotted name: "cpu.usage_usec".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/write.h"
#include "introspect/ctprof/compare/aggregate.h"

namespace ktstr::introspect::ctprof {

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

/// Adds the leaves of another cgroup that goes by the same name, by the rule of each (leaf_kind.h).
void merge_leaves(Leaves& into, const Leaves& from);

}  // namespace ktstr::introspect::ctprof
