// SchedGuest: a synthetic guest with the scheduler's structures in the shape of one kernel or another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/introspect/sched/synthetic_btf.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

enum class EventPlace { kNowhere, kPerCpuSymbol, kSchedMember, kSchedPcpu };

/// What differs between kernels. The default is the shape of 7.3.
struct KernelShape {
  bool sched_ext = true;
  bool schedstats = true;
  bool domains = true;
  bool newidle = true;
  bool split_imbalance = true;
  bool span_member = false;
  EventPlace events = EventPlace::kSchedPcpu;
  std::vector<std::string> event_members = {"SCX_EV_SELECT_CPU_FALLBACK", "SCX_EV_DISPATCH_KEEP_LAST",
                                            "SCX_EV_REENQ_REPEAT", "SCX_EV_SLICE_DENIED",
                                            "SCX_EV_SUB_RESCUE"};

  [[nodiscard]] std::vector<std::byte> btf() const;
};

/// CPUs with idle run queues, no scheduler loaded, no domains, kernel.sched_schedstats on.
class SchedGuest : public SyntheticGuest {
 public:
  explicit SchedGuest(const KernelShape& shape = {}, std::size_t cpus = 2, std::size_t ram_bytes = 16U << 20);

  /// CPU `cpu`'s struct rq.
  [[nodiscard]] KernelVirt rq(std::size_t cpu) const { return per_cpu(runqueues_, cpu); }
  template <class T>
  void set_rq(std::size_t cpu, std::string_view path, const T& value) {
    set(rq(cpu), "rq", path, value);
  }
  void set_schedstats_switch(std::int32_t count) {
    set(schedstats_key_, "static_key_false", "key.enabled.counter", count);
  }

  /// Loads a scheduler with counters of zero; returns its scx_sched (null where the shape has none).
  KernelVirt load_scheduler();
  void unload_scheduler();
  /// A counter of the loaded scheduler.
  void set_event(std::size_t cpu, std::string_view member, std::int64_t value);
  /// The variable scx_root.
  [[nodiscard]] KernelVirt scx_root() const { return scx_root_; }

  /// Puts a domain of `span` on top of `child` (or as the lowest of a CPU's, see set_rq("sd")).
  KernelVirt add_domain(std::optional<KernelVirt> child, std::int32_t level, std::string_view name,
                        const std::vector<std::size_t>& span);

 private:
  KernelShape shape_;
  KernelVirt runqueues_;
  KernelVirt schedstats_key_;
  KernelVirt scx_root_;
  KernelVirt enable_state_;
  KernelVirt counters_;  ///< per-CPU pointer to what holds scx_event_stats
};

}  // namespace ktstr::introspect::test
