// ExpeditedGracePeriods: RCU's grace periods ended by interrupts rather than by ticks.
#pragma once

#include <string>

namespace ktstr::engine::guest {

/// While one lives, synchronize_rcu() asks every CPU at once (/sys/kernel/rcu_expedited), and takes one
/// interrupt of each rather than some ticks. A scheduler's end and its attach wait for eight grace periods
/// one after the other. Does nothing where urgency is not due (urgency.h), or the kernel has no such file.
class ExpeditedGracePeriods {
 public:
  ExpeditedGracePeriods();
  ~ExpeditedGracePeriods();
  ExpeditedGracePeriods(const ExpeditedGracePeriods&) = delete;
  ExpeditedGracePeriods& operator=(const ExpeditedGracePeriods&) = delete;

 private:
  std::string former_;  ///< empty: nothing was changed
};

}  // namespace ktstr::engine::guest
