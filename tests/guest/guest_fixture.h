// What tests on a real kernel share: a cached kernel, small scenarios, and a booted guest with its agent.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "engine/agent/agent_client.h"
#include "engine/base/io.h"
#include "engine/kernels/kernel_store.h"
#include "engine/run/agent_initramfs.h"
#include "engine/run/runner.h"
#include "engine/scenario/workers.h"
#include "tests/guest/small_scenario.h"
#include "tests/skip.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::engine::testing {

/// The kernel that a run without --kernel takes; none when the cache is empty.
inline std::optional<CachedKernel> default_kernel() {
  const auto store = KernelStore::open();
  if (!store) return std::nullopt;
  auto kernel = store->resolve(std::nullopt);
  if (!kernel) return std::nullopt;
  return std::move(*kernel);
}

/// The release of a cached kernel that has no sched_ext; none when there is none.
inline std::optional<std::string> kernel_without_sched_ext() {
  const auto store = KernelStore::open();
  if (!store) return std::nullopt;
  const auto listing = store->list();
  if (!listing) return std::nullopt;
  const auto plain =
      std::ranges::find_if(listing->kernels, [](const auto& kernel) { return !kernel.metadata.sched_ext; });
  return plain == listing->kernels.end() ? std::nullopt : std::optional(plain->metadata.release);
}

/// A guest that is ready, without a scenario.
struct BootedGuest {
  CachedKernel kernel;
  std::unique_ptr<vmm::Machine> machine;
  std::chrono::steady_clock::time_point epoch;
  std::optional<AgentClient> agent;
};

/// Boots the kernel on `topology`, with these files beside the agent and these arguments; the error says what
/// went wrong.
inline Result<BootedGuest> boot(const CachedKernel& kernel, const vmm::Topology& topology,
                                std::vector<vmm::InitramfsFile> files = {},
                                const std::vector<std::string>& kernel_args = {}) {
  const auto initramfs = KTSTR_TRY(make_agent_initramfs(std::move(files)));
  Scenario scenario;
  scenario.topology = topology;
  BootedGuest guest{.kernel = kernel, .machine = {}, .epoch = std::chrono::steady_clock::now(), .agent = {}};
  guest.machine = KTSTR_TRY(vmm::start_qemu({.kernel_elf = kernel.elf,
                                             .kernel_bzimage = kernel.bzimage,
                                             .initramfs = path_of(initramfs.get()),
                                             .topology = topology,
                                             .memory = guest_memory(scenario),
                                             .kaslr = !kernel.bzimage.empty(),
                                             .kernel_args = kernel_args,
                                             .console_log = {}}));
  guest.agent.emplace(guest.machine->channel_fd());
  KTSTR_TRY(guest.agent->wait_hello(default_boot_timeout(topology)));
  return guest;
}

}  // namespace ktstr::engine::testing
