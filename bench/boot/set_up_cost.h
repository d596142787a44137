// What it costs to make a machine in this process, apart from running its guest.
#pragma once

#include <cstdint>

#include "bench/boot/contender.h"

namespace ktstr::bench {

struct SetUpCost {
  double cpu_ms = 0;  ///< of the thread that starts the machine, until the guest's kernel has begun to boot
  std::int64_t resident_bytes = 0;  ///< anonymous memory of this process (the guest's RAM is shared memory)
};

/// Of our own machine. Its guest need not boot: a /dev/kvm that makes machines is enough.
[[nodiscard]] Result<SetUpCost> set_up_cost(const Guest& guest, bool kaslr);

/// CPU milliseconds that putting a guest's kernel and initramfs into a KVM machine's memory takes: the part
/// of its set-up that can be measured where there is no KVM.
[[nodiscard]] Result<double> loading_cost(const Guest& guest, bool kaslr);

}  // namespace ktstr::bench
