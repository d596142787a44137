#include "introspect/sched/events.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/check.h"

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

/// A kernel from before struct scx_sched has one enable state; enumerator and variable were renamed together
/// or apart.
constexpr std::array<std::string_view, 2> kStateSymbols = {"scx_enable_state_var",
                                                           "scx_ops_enable_state_var"};
constexpr std::array<std::string_view, 2> kDisabledNames = {"SCX_DISABLED", "SCX_OPS_DISABLED"};

Error unreadable(std::string_view what) {
  return {ErrorCode::kOutOfRange, std::string(what) + " can't be read"};
}

}  // namespace

Result<EventLayout> EventLayout::resolve(const Btf& btf) {
  const auto structure = btf.find_struct("scx_event_stats");
  if (!structure) return Error{ErrorCode::kNotFound, "no struct scx_event_stats in the kernel's BTF"};
  EventLayout layout;
  layout.size_ = btf.size_of(*structure).value_or(0);
  if (layout.size_ == 0 || layout.size_ > kMaxStructBytes)
    return corrupted("struct scx_event_stats: size of " + std::to_string(layout.size_) + " bytes");
  for (const auto& [name, member] : btf.members(*structure)) {
    const std::size_t offset = member.byte_offset();
    const bool within = offset <= layout.size_ && kCounterBytes <= layout.size_ - offset;
    const bool whole_bytes = member.bit_offset % 8 == 0 && member.bitfield_bits == 0;
    if (member.size_bytes != kCounterBytes || !whole_bytes || !within)
      return corrupted("struct scx_event_stats: " + std::string(name) + " is no 8-byte counter");
    const auto output = output_name(name);
    // More counters than fit lie on top of each other.
    if (layout.known_.size() + layout.other_offsets_.size() == layout.size_ / kCounterBytes)
      return corrupted("struct scx_event_stats: more counters than it has room for");
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
  const auto counter_at = [&](std::size_t offset) { return element<std::int64_t>(bytes.subspan(offset), 0); };
  ScxEventCounters counters;
  for (const auto& [counter, offset] : known_) number_of(counters, counter) = counter_at(offset);
  counters.other.reserve(other_offsets_.size());
  for (const auto offset : other_offsets_) counters.other.push_back(counter_at(offset));
  return counters;
}

Result<KernelVirt> read_scx_root(const Kernel& kernel, KernelVirt variable) {
  const auto scheduler = kernel.read<KernelVirt>(variable);
  if (!scheduler) return Error{ErrorCode::kOutOfRange, "scx_root can't be read"};
  if (scheduler->is_null() || kernel.plausible_pointer(*scheduler)) return *scheduler;
  return corrupted("scx_root holds no kernel pointer");
}

Result<EventReader> EventReader::create(const Kernel& kernel) {
  EventReader reader;
  reader.layout_ = KTSTR_TRY(EventLayout::resolve(kernel.btf()));
  reader.bytes_.resize(reader.layout_.size());
  KTSTR_TRY(reader.sched_layout_.resolve(kernel.btf()) ? reader.find_in_scheduler(kernel)
                                                       : reader.find_per_cpu_symbol(kernel));
  return reader;
}

Status EventReader::find_in_scheduler(const Kernel& kernel) {
  root_ = KTSTR_TRY(kernel.address("scx_root"));
  if (sched_layout_.pcpu.present()) {
    KTSTR_TRY(pcpu_layout_.resolve(kernel.btf()));
    if (pcpu_layout_.event_stats.size() == layout_.size()) return ok();
    return corrupted("struct scx_sched_pcpu: event_stats is no struct scx_event_stats");
  }
  if (sched_layout_.event_stats_cpu.present()) return ok();
  return Error{ErrorCode::kNotFound, "struct scx_sched: no member pcpu or event_stats_cpu"};
}

Status EventReader::find_per_cpu_symbol(const Kernel& kernel) {
  symbol_ = KTSTR_TRY(kernel.address("event_stats_cpu"));
  for (const auto name : kStateSymbols)
    if (const auto state = kernel.address(name)) state_ = *state;
  std::optional<std::int64_t> disabled;
  for (const auto name : kDisabledNames)
    if (!disabled) disabled = kernel.btf().enumerator(name);
  if (state_.is_null() || !disabled)
    return Error{ErrorCode::kNotFound,
                 "nothing says whether a sched_ext scheduler is loaded (scx_enable_state_var)"};
  disabled_ = *disabled;
  return ok();
}

Result<std::optional<EventSource>> EventReader::locate(const Kernel& kernel) const {
  if (!root_.is_null()) return locate_in_scheduler(kernel);
  const auto state = kernel.read<std::int32_t>(state_);
  if (!state) return unreadable("the state of sched_ext");
  if (*state == disabled_) return std::optional<EventSource>();
  return std::optional(EventSource{KernelVirt{}, symbol_});
}

Result<std::optional<EventSource>> EventReader::locate_in_scheduler(const Kernel& kernel) const {
  const KernelVirt scheduler = KTSTR_TRY(read_scx_root(kernel, root_));
  if (scheduler.is_null()) return std::optional<EventSource>();
  const bool nested = sched_layout_.pcpu.present();
  const auto& field = nested ? sched_layout_.pcpu : sched_layout_.event_stats_cpu;
  const auto counters = field.read(kernel, scheduler);
  if (!counters) return unreadable("the scx_sched at scx_root");
  return std::optional(
      EventSource{scheduler, nested ? pcpu_layout_.event_stats.address(*counters) : *counters});
}

Result<ScxEventCounters> EventReader::read(const Kernel& kernel, const EventSource& source, std::size_t cpu) {
  const KernelVirt place = KTSTR_TRY(kernel.per_cpu(source.counters, cpu));
  if (!kernel.read_bytes(place, bytes_)) return unreadable("event counters of cpu" + std::to_string(cpu));
  return layout_.counters(bytes_);
}

}  // namespace ktstr::introspect
