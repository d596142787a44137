// A way of booting a guest, timed from its start to the first byte of the guest's init.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/kernels/kernel_store.h"
#include "vmm/backend.h"

namespace ktstr::bench {

using Seconds = std::chrono::duration<double>;

struct Contender {
  std::string name;
  std::function<Result<Seconds>()> boot;
};

struct Guest {
  engine::CachedKernel kernel;
  std::filesystem::path initramfs;
};

/// What our machine boots.
[[nodiscard]] Result<vmm::MachineConfig> machine_config(const Guest& guest, bool kaslr);

/// Our machine; ready is the byte on its channel.
[[nodiscard]] Contender our_machine(const Guest& guest, const std::string& name, bool kaslr,
                                    vmm::Backend backend);

/// A plain qemu-system-x86_64 with these arguments besides kernel and initramfs; ready is an 'R' alone on the
/// serial console.
[[nodiscard]] Contender plain_qemu(const std::string& name, const std::filesystem::path& kernel,
                                   const std::filesystem::path& initramfs,
                                   const std::string& kernel_arguments, std::vector<std::string> arguments);

}  // namespace ktstr::bench
