#include "engine/run/scheduler_watchdog.h"

#include "engine/observe/machine_memory.h"
#include "introspect/scx/watchdog.h"

namespace ktstr::engine {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

}  // namespace

Result<WatchdogReport> set_scheduler_watchdog(vmm::Machine& machine, const introspect::Kernel& kernel,
                                              std::uint32_t hz, Duration timeout) {
  const auto watchdog = KTSTR_TRY(introspect::ScxWatchdog::create(kernel));
  auto memory = writable_memory(machine);
  const auto asked_ns = static_cast<std::uint64_t>(timeout.ns);
  const auto tick_ns = kSecondNs / hz;
  const auto change = KTSTR_TRY(watchdog.set(kernel, memory, (asked_ns + tick_ns - 1) / tick_ns));
  return WatchdogReport{
      .own_ns = change.before * tick_ns, .asked_ns = asked_ns, .read_back_ns = change.after * tick_ns};
}

}  // namespace ktstr::engine
