// A booted guest whose init answers one-letter requests (test_init.c).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm::qemu {

/// A configuration that boots test_init with the newest cached kernel. Errors: what this host lacks.
[[nodiscard]] Result<MachineConfig> test_config(std::string_view topology);

/// The children of this process, whichever thread forked them.
[[nodiscard]] std::vector<int> child_pids();

class TestGuest {
 public:
  /// Returns once init said "ready".
  [[nodiscard]] static Result<TestGuest> boot(const MachineConfig& config);

  /// Goes on from a snapshot of a guest that waits for requests.
  [[nodiscard]] static Result<TestGuest> fork(const MachineSnapshot& snapshot,
                                              const std::filesystem::path& console_log = {});

  /// The line that init answers.
  [[nodiscard]] std::string ask(char request);
  /// A request that is not answered.
  void tell(char request);

  Machine& machine() { return *machine_; }

 private:
  explicit TestGuest(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
  Result<std::string> read_line();

  std::unique_ptr<Machine> machine_;
};

}  // namespace ktstr::vmm::qemu
