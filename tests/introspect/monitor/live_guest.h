// LiveGuest: a real guest that is up, with its agent answering and its kernel attached, for tests and
// benchmarks.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/agent/agent_client.h"
#include "introspect/kernel.h"
#include "introspect/span_memory.h"
#include "tests/temporary_directory.h"
#include "vmm/initramfs.h"
#include "vmm/machine.h"

namespace ktstr::introspect::test {

/// Boots a cached kernel under QEMU with kernel.sched_schedstats on. Everything ends with the
/// object.
class LiveGuest {
 public:
  /// Errors: no kernel in the cache, no QEMU, or whatever kept the guest from coming up.
  /// `kernel`: the beginning of a cached kernel's release; the default one without. `files`: of the guest's
  /// root, beside the agent.
  [[nodiscard]] static Result<std::unique_ptr<LiveGuest>> boot(
      const vmm::Topology& topology, const std::optional<std::string>& kernel = std::nullopt,
      std::vector<vmm::InitramfsFile> files = {});
  ~LiveGuest();

  [[nodiscard]] const Kernel& kernel() const { return *kernel_; }
  [[nodiscard]] engine::AgentClient& agent() { return *agent_; }
  [[nodiscard]] vmm::Machine& machine() { return *machine_; }

 private:
  LiveGuest() = default;
  [[nodiscard]] Status start(const vmm::Topology& topology, const std::optional<std::string>& kernel,
                             std::vector<vmm::InitramfsFile> files);

  ktstr::test::TemporaryDirectory folder_;  ///< the initramfs and the console's log
  std::unique_ptr<vmm::Machine> machine_;
  std::optional<engine::AgentClient> agent_;
  SpanMemory memory_;
  std::optional<Kernel> kernel_;
};

}  // namespace ktstr::introspect::test
