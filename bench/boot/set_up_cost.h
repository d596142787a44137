// What it costs to make a machine in this process, apart from running its guest.
#pragma once

#include <cstdint>

#include "bench/boot/contender.h"

namespace ktstr::bench {

struct SetUpCost {
  double cpu_ms = 0;  ///< of the thread that starts the machine, until the guest's kernel has begun to boot
  std::int64_t resident_bytes = 0;  ///< anonymous memory of this process (the guest's RAM is shared memory)
};

[[nodiscard]] Result<SetUpCost> set_up_cost(const Guest& guest, bool kaslr, vmm::Backend backend);

}  // namespace ktstr::bench
