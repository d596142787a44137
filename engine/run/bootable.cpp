#include "engine/run/bootable.h"

#include <sys/sysinfo.h>

#include "engine/base/result.h"
#include "engine/run/scheduler_setup.h"
#include "engine/scenario/workers.h"
#include "vmm/backend.h"
#include "vmm/linux_boot.h"

namespace ktstr::engine {
namespace {

/// A guest's memory is backed as the guest touches it: by the host's, and when that is full by its swap.
Status check_host_memory(ByteSize memory) {
  struct sysinfo host {};
  if (::sysinfo(&host) != 0) return system_error("sysinfo");
  const ByteSize backing{(std::uint64_t{host.totalram} + host.totalswap) * host.mem_unit};
  if (memory.bytes <= backing.bytes) return ok();
  return invalid_argument("memory: " + format_byte_size(memory) +
                          " is more than this host could back: it has " + format_byte_size(backing) +
                          " of memory and swap");
}

Status check_kernel_arguments(const Scenario& scenario) {
  vmm::MachineConfig config;
  config.kaslr = scenario.kaslr;
  config.kernel_args = kernel_args_of(scenario);
  KTSTR_TRY(vmm::check_command_line(config), "kernel_args");
  return ok();
}

}  // namespace

Status check_bootable(const Scenario& scenario, vmm::Backend backend) {
  KTSTR_TRY(vmm::expressible(backend, scenario.topology), "topology");
  KTSTR_TRY(check_host_memory(guest_memory(scenario)));
  return check_kernel_arguments(scenario);
}

}  // namespace ktstr::engine
