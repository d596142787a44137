// A booted guest whose init answers one-letter requests (test_init.c), on the backend that KTSTR_TEST_BACKEND
// names.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "tests/skip.h"
#include "vmm/backend.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// A configuration that boots test_init with the default cached kernel. Errors: what this host lacks.
[[nodiscard]] Result<MachineConfig> test_config(std::string_view topology);

/// "no KVM that boots kernels: ..." where tests of our own machine can't run.
[[nodiscard]] std::optional<std::string> why_no_kvm();

inline constexpr Backend kTestBackend = Backend::KTSTR_TEST_BACKEND;

/// How long a guest may take to be ready, or to answer.
inline constexpr std::chrono::seconds kPatience{120};

class TestGuest {
 public:
  /// A guest that is ready already.
  explicit TestGuest(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
  /// Returns once init said "ready". It is given `patience` for that, and for each later answer.
  [[nodiscard]] static Result<TestGuest> boot(const MachineConfig& config,
                                              std::chrono::seconds patience = kPatience);

  /// Goes on from a snapshot of a guest that waits for requests.
  [[nodiscard]] static Result<TestGuest> fork(const MachineSnapshot& snapshot,
                                              const std::filesystem::path& console_log = {});

  /// The line that init answers.
  [[nodiscard]] std::string ask(char request);
  /// A request that is not answered.
  void tell(char request);

  Machine& machine() { return *machine_; }

 private:
  Result<std::string> read_line();

  std::unique_ptr<Machine> machine_;
  std::chrono::seconds patience_ = kPatience;
};

/// Declares `name`, or ends the test case as skipped.
#define TEST_CONFIG(name, topology)                                   \
  auto name##_or_reason = test_config(topology);                      \
  if (!name##_or_reason) SKIP_TEST(name##_or_reason.error().message); \
  auto& name = *name##_or_reason

/// A guest that is ready.
[[nodiscard]] TestGuest boot(const MachineConfig& config, std::chrono::seconds patience = kPatience);

/// The children of this process, whichever thread forked them.
[[nodiscard]] std::vector<int> child_pids();

/// How the guest ended.
[[nodiscard]] MachineEvent wait_for_event(Machine& machine);

}  // namespace ktstr::vmm
