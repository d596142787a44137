#include "introspect/ctprof/snapshot.h"

#include "engine/base/nearest.h"

namespace ktstr {
namespace {

using introspect::ctprof::Metric;
using introspect::ctprof::ThreadRecord;

template <class Q>
ReadStatus read_quantity(const Value& value, std::optional<Q>& out, const ReadPlace& place) {
  if (value.is_null()) {
    out.reset();
    return {};
  }
  using Rep = typename Q::Representation;
  if constexpr (std::same_as<Rep, char>) {
    const auto* text = value.get_if<std::string>();
    if (!text || text->size() != 1) return detail::wrong_kind(value, "a letter", place);
    out = Q{text->front()};
    return {};
  } else {
    Rep rep{};
    if (auto error = read(value, rep, place)) return error;
    out = Q{std::move(rep)};
    return {};
  }
}

/// Reads a member that says which thread it is; `known` is false for one that does not.
ReadStatus read_identity(std::string_view key, const Value& value, ThreadRecord& out, const ReadPlace& place,
                         bool& known) {
  known = true;
  if (key == "tid") return read(value, out.tid, place);
  if (key == "tgid") return read(value, out.tgid, place);
  if (key == "pcomm") return read(value, out.pcomm, place);
  if (key == "comm") return read(value, out.comm, place);
  if (key == "cgroup") return read(value, out.cgroup, place);
  if (key == "start_time_clock_ticks") return read(value, out.start_time_clock_ticks, place);
  if (key == "smaps_rollup_kib") return read(value, out.smaps_rollup_kib, place);
  known = false;
  return {};
}

ReadError unknown_metric(std::string_view key, const ReadPlace& place) {
  std::vector<std::string_view> names;
  for (const auto& metric : introspect::ctprof::metrics()) names.push_back(metric.name);
  return place.error("not a metric" + did_you_mean(key, names));
}

ReadStatus read_member(std::string_view key, const Value& value, ThreadRecord& out, const ReadPlace& place) {
  if (const Metric* metric = introspect::ctprof::find_metric(key))
    return std::visit([&](auto member) { return read_quantity(value, out.*member, place); }, metric->member);
  bool known = false;
  auto status = read_identity(key, value, out, place, known);
  if (known || place.leave_out()) return status;
  return unknown_metric(key, place);
}

}  // namespace

ReadStatus CustomReader<ThreadRecord>::read(const Value& value, ThreadRecord& out, const ReadPlace& place,
                                            MissingMembers) {
  const auto* object = value.get_if<Value::Object>();
  if (!object) return detail::wrong_kind(value, "a thread", place);
  if (!value.find("tid") || !value.find("tgid")) return place.error("a thread needs \"tid\" and \"tgid\"");
  for (const auto& [key, member] : *object)
    if (auto error = read_member(key, member, out, place.member(key, member))) return error;
  return {};
}

}  // namespace ktstr
