// A thread's JSON: an object with the identity, a member for each metric (null when absent), and
// smaps_rollup_kib.
#pragma once

#include "engine/base/read.h"
#include "introspect/ctprof/metrics.h"

namespace ktstr::introspect::ctprof {

template <class Sink, class Q>
void write_quantity(Sink& sink, const std::optional<Q>& quantity) {
  if (!quantity)
    sink.Null();
  else if constexpr (std::same_as<typename Q::Representation, char>)
    ktstr::detail::write_string(sink, std::string_view(&quantity->value, 1));
  else
    write(sink, quantity->value);
}

template <class Sink, class T>
void write_member(Sink& sink, std::string_view name, const T& value) {
  ktstr::detail::write_key(sink, name);
  write(sink, value);
}

}  // namespace ktstr::introspect::ctprof

namespace ktstr {

template <>
struct CustomWriter<introspect::ctprof::ThreadRecord> {
  template <class Sink>
  static void write(Sink& sink, const introspect::ctprof::ThreadRecord& record) {
    using namespace introspect::ctprof;
    sink.StartObject();
    write_member(sink, "tid", record.tid);
    write_member(sink, "tgid", record.tgid);
    write_member(sink, "pcomm", record.pcomm);
    write_member(sink, "comm", record.comm);
    write_member(sink, "cgroup", record.cgroup);
    write_member(sink, "start_time_clock_ticks", record.start_time_clock_ticks);
    for (const auto& metric : metrics()) {
      ktstr::detail::write_key(sink, metric.name);
      std::visit([&](auto member) { write_quantity(sink, record.*member); }, metric.member);
    }
    write_member(sink, "smaps_rollup_kib", record.smaps_rollup_kib);
    sink.EndObject(static_cast<rapidjson::SizeType>(metrics().size() + 7));
  }
};

template <>
struct CustomReader<introspect::ctprof::ThreadRecord> {
  static ReadStatus read(const Value& value, introspect::ctprof::ThreadRecord& out, const ReadPlace& place,
                         MissingMembers missing);
};

}  // namespace ktstr
