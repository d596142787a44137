// Brent's cycle detection for singly linked chains: two words of state, whatever the length.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/address.h"

namespace ktstr::introspect {

/// Give it every node in order; it says when the chain has come back to a node it has seen.
class CycleCheck {
 public:
  /// True when `node` closes a cycle. Before that, at most three times as many nodes are taken as the chain
  /// has distinct ones.
  [[nodiscard]] bool closes(KernelVirt node) {
    if (limit_ != 0 && node == anchor_) return true;
    if (++steps_ >= limit_) {
      anchor_ = node;
      steps_ = 0;
      limit_ = limit_ == 0 ? 1 : limit_ * 2;
    }
    return false;
  }

  /// Cuts `nodes`, all that were taken before the one that closed the cycle, to the distinct ones.
  void keep_distinct(std::vector<KernelVirt>& nodes) const {
    const std::size_t cycle_length = steps_ + 1;
    std::size_t entry = 0;
    while (entry + cycle_length < nodes.size() && nodes[entry] != nodes[entry + cycle_length]) ++entry;
    if (entry + cycle_length < nodes.size()) nodes.resize(entry + cycle_length);
  }

 private:
  KernelVirt anchor_;
  std::size_t steps_ = 0;  ///< nodes taken since the anchor
  std::size_t limit_ = 0;  ///< the anchor moves after so many; 0 before the first node
};

}  // namespace ktstr::introspect
