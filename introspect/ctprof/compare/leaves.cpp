#include "introspect/ctprof/compare/leaves.h"

#include <algorithm>

#include "introspect/monitor/counter.h"

namespace ktstr::introspect::ctprof {
namespace {

/// Counters among the members of CgroupStats, PsiHalf and SchedExtState.
bool is_counter(std::string_view name) {
  return name == "cpu.usage_usec" || name == "cpu.nr_throttled" || name == "cpu.throttled_usec" ||
         name.starts_with("memory.events.") || name.starts_with("memory.stat.pg") ||
         name.starts_with("memory.stat.workingset_refault") || name.ends_with(".total_usec") ||
         name == "hotplug_seq" || name == "enable_seq";
}

}  // namespace

bool LeafSink::Key(const char* text, rapidjson::SizeType size, bool) {
  path_.back().assign(text, size);
  return true;
}

bool LeafSink::StartObject() {
  path_.emplace_back();
  return true;
}

bool LeafSink::EndObject(rapidjson::SizeType) {
  path_.pop_back();
  return true;
}

std::string LeafSink::name() const {
  std::string name;
  for (const auto& part : path_) name.append(name.empty() ? "" : ".").append(part);
  return name;
}

bool LeafSink::Uint64(std::uint64_t value) {
  return put(is_counter(name()) ? Aggregate(Total{value}) : Aggregate(Most{value}));
}

bool LeafSink::put(Aggregate aggregate) {
  leaves_.insert_or_assign(name(), std::move(aggregate));
  return true;
}

void merge_leaves(Leaves& into, const Leaves& from) {
  for (const auto& [name, leaf] : from) {
    auto& merged = into[name];
    if (auto* total = std::get_if<Total>(&merged); total && std::holds_alternative<Total>(leaf))
      total->value = saturating_add(total->value, std::get<Total>(leaf).value);
    else if (merged.index() == 0 || number_of(leaf).value_or(0) > number_of(merged).value_or(0))
      merged = leaf;
  }
}

}  // namespace ktstr::introspect::ctprof
