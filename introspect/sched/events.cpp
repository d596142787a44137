#include "introspect/sched/events.h"

#include <array>
#include <string_view>

namespace ktstr::introspect {
namespace {

/// A kernel from before struct scx_sched has one enable state; enumerator and variable were renamed together
/// or apart.
constexpr std::array<std::string_view, 2> kStateSymbols = {"scx_enable_state_var",
                                                           "scx_ops_enable_state_var"};
constexpr std::array<std::string_view, 2> kDisabledNames = {"SCX_DISABLED", "SCX_OPS_DISABLED"};

Error unreadable(std::string_view what) {
  return {ErrorCode::kOutOfRange, std::string(what) + " can't be read"};
}

}  // namespace

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
    return Error{ErrorCode::kCorrupt, "struct scx_sched_pcpu: event_stats is no struct scx_event_stats"};
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
  const auto scheduler = kernel.read<KernelVirt>(root_);
  if (!scheduler) return unreadable("scx_root");
  if (scheduler->is_null()) return std::optional<EventSource>();
  if (!kernel.plausible_pointer(*scheduler))
    return Error{ErrorCode::kCorrupt, "scx_root holds no kernel pointer"};
  const bool nested = sched_layout_.pcpu.present();
  const auto& field = nested ? sched_layout_.pcpu : sched_layout_.event_stats_cpu;
  const auto counters = field.read(kernel, *scheduler);
  if (!counters) return unreadable("the scx_sched at scx_root");
  return std::optional(
      EventSource{*scheduler, nested ? pcpu_layout_.event_stats.address(*counters) : *counters});
}

Result<ScxEventCounters> EventReader::read(const Kernel& kernel, const EventSource& source, std::size_t cpu) {
  const KernelVirt place = KTSTR_TRY(kernel.per_cpu(source.counters, cpu));
  if (!kernel.read_bytes(place, bytes_)) return unreadable("event counters of cpu" + std::to_string(cpu));
  return layout_.counters(bytes_);
}

}  // namespace ktstr::introspect
