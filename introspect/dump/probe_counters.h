// ProbeBssCounters: what the probe counted in the guest, summed over CPUs.
#pragma once

#include <cstdint>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// Counters since the probe was attached. Zero: the event never came, or its hook is not in this kernel.
struct ProbeBssCounters {
  std::uint64_t probe_count = 0;
  std::uint64_t kprobe_returns = 0;
  std::uint64_t meta_miss = 0;
  std::uint64_t ringbuf_drops = 0;
  std::uint64_t timeline_count = 0;
  std::uint64_t timeline_drops = 0;
  std::uint64_t pi_count = 0;
  std::uint64_t pi_orphan_fexits = 0;
  std::uint64_t pi_class_change_count = 0;
  std::uint64_t pi_drops = 0;
  std::uint64_t lock_contend_count = 0;
  std::uint64_t lock_contend_drops = 0;
  std::uint64_t preempt_disable_count = 0;
  std::uint64_t preempt_enable_count = 0;
  std::uint64_t trigger_count = 0;

  static consteval auto describe() {
    using T = ProbeBssCounters;
    return record("what the probe counted, summed over CPUs",
                  field<&T::probe_count>("kprobe hits while the probe was on"),
                  field<&T::kprobe_returns>("hits that were recorded"),
                  field<&T::meta_miss>("hits at an address the probe did not know"),
                  field<&T::ringbuf_drops>("trigger records lost to a full ring"),
                  field<&T::timeline_count>("switches, migrations and wakeups recorded"),
                  field<&T::timeline_drops>("those lost to a full ring"),
                  field<&T::pi_count>("priority inheritance changes recorded"),
                  field<&T::pi_orphan_fexits>("ends of such a change without a beginning"),
                  field<&T::pi_class_change_count>("changes that moved a task to another class"),
                  field<&T::pi_drops>("changes lost to a full ring"),
                  field<&T::lock_contend_count>("lock contentions recorded"),
                  field<&T::lock_contend_drops>("contentions lost to a full ring"),
                  field<&T::preempt_disable_count>("outermost preempt_disable() calls"),
                  field<&T::preempt_enable_count>("outermost preempt_enable() calls"),
                  field<&T::trigger_count>("exits of a scheduler that the probe saw, of any kind"));
  }
};

}  // namespace ktstr::introspect
