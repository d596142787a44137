// sched_ext's event counters (kernel/sched/ext_internal.h): where a kernel keeps them, and each CPU's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/layout.h"
#include "introspect/sched/event_counters.h"

namespace ktstr::introspect {

struct ScxSchedLayout : LayoutOf<"scx_sched"> {
  OptionalField<KernelVirt> pcpu{*this, {"pcpu"}};                        // per-CPU struct scx_sched_pcpu
  OptionalField<KernelVirt> event_stats_cpu{*this, {"event_stats_cpu"}};  // per-CPU struct scx_event_stats
};

struct ScxSchedPcpuLayout : LayoutOf<"scx_sched_pcpu"> {
  Embedded event_stats{*this, {"event_stats"}};
};

/// struct scx_event_stats: its members are taken as they are in BTF, all of them s64.
class EventLayout {
 public:
  /// Error: no such structure, or a member of another size than 8 bytes.
  [[nodiscard]] static Result<EventLayout> resolve(const Btf& btf);

  /// Bytes of the structure.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Names of the counters in ScxEventCounters::other: "sub_rescue" for SCX_EV_SUB_RESCUE.
  [[nodiscard]] const std::vector<std::string>& other_names() const { return other_names_; }
  /// The counters out of the structure's bytes. Precondition: bytes.size() == size().
  [[nodiscard]] ScxEventCounters counters(std::span<const std::byte> bytes) const;

 private:
  struct Known {
    EventCounter counter;
    std::size_t offset;
  };
  std::size_t size_ = 0;
  std::vector<Known> known_;
  std::vector<std::size_t> other_offsets_;
  std::vector<std::string> other_names_;
};

/// The scx_sched that the variable scx_root, at `variable`, holds; null while no scheduler is loaded.
/// kOutOfRange, kCorrupt: it can't be read, or holds no scheduler's address.
[[nodiscard]] Result<KernelVirt> read_scx_root(const Kernel& kernel, KernelVirt variable);

/// The counters of the scheduler that is loaded at one instant.
struct EventSource {
  KernelVirt scheduler;  ///< the root scx_sched; null on kernels without that structure
  KernelVirt counters;   ///< per-CPU pointer to struct scx_event_stats
  friend bool operator==(const EventSource&, const EventSource&) = default;
};

/// Reads the event counters of the root scheduler. Not for several threads at once: it keeps a buffer.
class EventReader {
 public:
  /// Error: why this kernel has no event counters.
  [[nodiscard]] static Result<EventReader> create(const Kernel& kernel);

  [[nodiscard]] const EventLayout& layout() const { return layout_; }

  /// Where the counters are now; nullopt when no scheduler is loaded. Errors: kOutOfRange, kCorrupt.
  [[nodiscard]] Result<std::optional<EventSource>> locate(const Kernel& kernel) const;
  /// One CPU's counters. They are the guest's to free once the scheduler leaves: call locate() again
  /// afterwards and drop what was read when it answers differently.
  [[nodiscard]] Result<ScxEventCounters> read(const Kernel& kernel, const EventSource& source,
                                              std::size_t cpu);

 private:
  [[nodiscard]] Status find_in_scheduler(const Kernel& kernel);
  [[nodiscard]] Status find_per_cpu_symbol(const Kernel& kernel);
  [[nodiscard]] Result<std::optional<EventSource>> locate_in_scheduler(const Kernel& kernel) const;

  EventLayout layout_;
  ScxSchedLayout sched_layout_;
  ScxSchedPcpuLayout pcpu_layout_;
  KernelVirt root_;            ///< the variable scx_root; null when the counters are a per-CPU symbol
  KernelVirt symbol_;          ///< the per-CPU symbol event_stats_cpu
  KernelVirt state_;           ///< the variable that says whether a scheduler is loaded, with the symbol
  std::int64_t disabled_ = 0;  ///< its value when none is
  std::vector<std::byte> bytes_;
};

}  // namespace ktstr::introspect
