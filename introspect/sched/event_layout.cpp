#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "introspect/sched/events.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kCounterBytes = sizeof(std::int64_t);
constexpr std::size_t kMaxStructBytes = 4096;  // some 500 counters, whatever the BTF says

/// "SCX_EV_BYPASS_DURATION" becomes "bypass_duration".
std::string output_name(std::string_view member) {
  constexpr std::string_view kPrefix = "SCX_EV_";
  if (member.starts_with(kPrefix)) member.remove_prefix(kPrefix.size());
  std::string name(member);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  // Renamed when it came to cover all re-enqueues; it counts the same repetitions.
  return name == "reenq_repeat" ? "reenq_local_repeat" : name;
}

std::int64_t counter_at(std::span<const std::byte> bytes, std::size_t offset) {
  std::int64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace

Result<EventLayout> EventLayout::resolve(const Btf& btf) {
  const auto structure = btf.find_struct("scx_event_stats");
  if (!structure) return Error{ErrorCode::kNotFound, "no struct scx_event_stats in the kernel's BTF"};
  EventLayout layout;
  layout.size_ = btf.size_of(*structure).value_or(0);
  if (layout.size_ == 0 || layout.size_ > kMaxStructBytes)
    return Error{ErrorCode::kCorrupt,
                 "struct scx_event_stats: size of " + std::to_string(layout.size_) + " bytes"};
  for (const auto& [name, member] : btf.members(*structure)) {
    const std::size_t offset = member.byte_offset();
    const bool within = offset <= layout.size_ && kCounterBytes <= layout.size_ - offset;
    const bool whole_bytes = member.bit_offset % 8 == 0 && member.bitfield_bits == 0;
    if (member.size_bytes != kCounterBytes || !whole_bytes || !within)
      return Error{ErrorCode::kCorrupt,
                   "struct scx_event_stats: " + std::string(name) + " is no 8-byte counter"};
    const auto output = output_name(name);
    // More counters than fit lie on top of each other.
    if (layout.known_.size() + layout.other_offsets_.size() == layout.size_ / kCounterBytes)
      return Error{ErrorCode::kCorrupt, "struct scx_event_stats: more counters than it has room for"};
    const auto known = std::ranges::find(kKnownEvents, output, &KnownEvent::name);
    if (known != kKnownEvents.end()) {
      const auto index = static_cast<std::size_t>(known - kKnownEvents.begin());
      layout.known_.push_back({EventCounter(index), offset});
    } else {
      layout.other_offsets_.push_back(offset);
      layout.other_names_.push_back(output);
    }
  }
  return layout;
}

ScxEventCounters EventLayout::counters(std::span<const std::byte> bytes) const {
  KTSTR_CHECK(bytes.size() == size_);
  ScxEventCounters counters;
  for (const auto& [counter, offset] : known_) number_of(counters, counter) = counter_at(bytes, offset);
  counters.other.reserve(other_offsets_.size());
  for (const auto offset : other_offsets_) counters.other.push_back(counter_at(bytes, offset));
  return counters;
}

}  // namespace ktstr::introspect
