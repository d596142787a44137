#include "vmm/kvm/placement.h"

#include <fmt/format.h>
#include <sched.h>

#include <memory>

#include "vmm/host_topology.h"

namespace ktstr::vmm::kvm {
namespace {

Status pin(int thread, std::size_t vcpu, std::size_t cpu) {
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(CPU_ALLOC(cpu + 1),
                                                              [](cpu_set_t* set) { CPU_FREE(set); });
  const auto bytes = CPU_ALLOC_SIZE(cpu + 1);
  if (!mask) return system_error("CPU mask", ENOMEM);
  CPU_ZERO_S(bytes, mask.get());
  CPU_SET_S(cpu, bytes, mask.get());
  if (::sched_setaffinity(thread, bytes, mask.get()) != 0)
    return system_error(fmt::format("pin vCPU {} to CPU {}", vcpu, cpu));
  return ok();
}

Status make_realtime(int thread, std::size_t vcpu, int priority) {
  sched_param parameters{};
  parameters.sched_priority = priority;
  if (::sched_setscheduler(thread, SCHED_FIFO, &parameters) == 0) return ok();
  if (errno != EPERM) return system_error(fmt::format("realtime priority of vCPU {}", vcpu));
  return Error{
      ErrorCode::kUnavailable,
      fmt::format("realtime priority {} for vCPUs takes CAP_SYS_NICE or an RLIMIT_RTPRIO of that much "
                  "(ulimit -r)",
                  priority)};
}

}  // namespace

Result<HostPlacement> HostPlacement::plan(const PerformanceOptions& options, const Topology& topology) {
  KTSTR_TRY(check_performance(options));
  HostPlacement placement;
  placement.options_ = options;
  if (!options.pin_vcpus && !options.realtime_priority) return placement;
  const std::size_t spare = options.realtime_priority ? 1 : 0;
  const auto usable = KTSTR_TRY(usable_cpus());
  if (!options.pin_vcpus) {
    KTSTR_TRY(check_cpu_count(usable.count(), topology, spare));
    return placement;
  }
  const auto host = KTSTR_TRY(read_host_topology("/sys", usable));
  placement.pins_ = KTSTR_TRY(plan_pinning(host, topology, spare));
  if (host.nodes == 1) placement.pins_.node_host_nodes.clear();
  return placement;
}

RamOptions HostPlacement::ram() const {
  return {
      .huge_pages = options_.huge_pages, .prefault = options_.prefault, .host_nodes = pins_.node_host_nodes};
}

Status HostPlacement::place(std::span<const std::optional<int>> threads) const {
  const bool wanted = options_.pin_vcpus || options_.realtime_priority;
  for (std::size_t vcpu = 0; vcpu < threads.size() && wanted; ++vcpu) {
    const int thread = threads[vcpu].value_or(0);
    if (thread == 0)  // to these calls the calling thread
      return Error{ErrorCode::kUnavailable, fmt::format("the thread of vCPU {} did not come up", vcpu)};
    if (options_.pin_vcpus) KTSTR_TRY(pin(thread, vcpu, pins_.vcpu_cpus[vcpu]));
    if (options_.realtime_priority) KTSTR_TRY(make_realtime(thread, vcpu, *options_.realtime_priority));
  }
  return ok();
}

MachinePerformance HostPlacement::performance(const GuestRam& ram) const {
  MachinePerformance had;
  had.vcpu_cpus.assign(pins_.vcpu_cpus.begin(), pins_.vcpu_cpus.end());
  for (const auto& nodes : pins_.node_host_nodes) had.node_memory.push_back(nodes.to_string());
  if (options_.realtime_priority)
    had.realtime_priority = static_cast<std::uint64_t>(*options_.realtime_priority);
  had.dedicated_cpus = options_.dedicated_cpus;
  if (options_.halt_poll) had.halt_poll_ns = static_cast<std::uint64_t>(options_.halt_poll->ns);
  had.ram_pages = ram.pages();
  had.prefaulted = options_.prefault;
  return had;
}

}  // namespace ktstr::vmm::kvm
