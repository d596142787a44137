// A guest that runs scx_ktstr again and again with other arguments.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/kernels/kernel_store.h"
#include "tests/temporary_directory.h"
#include "vmm/machine.h"

namespace ktstr::bpf::testing {

/// What one run of scx_ktstr showed.
struct SchedulerRun {
  std::string output;       ///< standard output and error of the loader
  std::string state;        ///< /sys/kernel/sched_ext/state once attached; "" when it never was
  std::string ops;          ///< /sys/kernel/sched_ext/root/ops likewise
  std::string busy_cpus;    ///< where the guest's busy processes ran last, one number each, before the end
  long attach_ms = 0;       ///< from the start of the loader until it said that it is attached
  int exit_status = -1;     ///< of the loader; -1: a signal ended it
  std::string state_after;  ///< /sys/kernel/sched_ext/state after its end
};

/// How a run is to end.
enum class RunEnd {
  kSignal,  ///< SIGTERM to the loader, a while after it has attached
  kItself,  ///< the kernel or the scheduler ends it
};

class SchedulerMachine {
 public:
  /// Boots the kernel with two CPUs, each an LLC. Four processes named "busy" work and sleep in turns.
  [[nodiscard]] static Result<SchedulerMachine> boot(const engine::CachedKernel& kernel);

  /// Runs scx_ktstr to its end. Errors: kTimeout, kIo when the guest is gone.
  [[nodiscard]] Result<SchedulerRun> run(const std::vector<std::string>& arguments, RunEnd end);

 private:
  SchedulerMachine() = default;
  [[nodiscard]] Status send(const std::string& text);
  [[nodiscard]] Result<std::string> receive_line();
  [[nodiscard]] Result<std::string> receive_text();

  std::unique_ptr<ktstr::test::TemporaryDirectory> directory_;
  std::unique_ptr<vmm::Machine> machine_;
  std::string received_;
};

}  // namespace ktstr::bpf::testing
