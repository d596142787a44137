// The QEMU backend of Machine.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/backend_machine.h"
#include "vmm/guest_ram.h"
#include "vmm/qemu/gdbstub.h"
#include "vmm/qemu/launch.h"
#include "vmm/qemu/machine_plan.h"
#include "vmm/qemu/monitor_text.h"
#include "vmm/qemu/process.h"
#include "vmm/qemu/qmp.h"
#include "vmm/qemu/snapshot.h"

namespace ktstr::vmm::qemu {

/// A guest in a QEMU process. Four threads serve it: the process's, QMP's, the console's and one for its end.
class QemuMachine final : public BackendMachine {
 public:
  /// A guest whose kernel has begun to boot. Errors: as start_qemu().
  [[nodiscard]] static Result<std::unique_ptr<QemuMachine>> start(const MachineConfig& config);
  /// A guest that has gone on from `saved`. Errors: kIo; kUnavailable; otherwise QEMU's own words.
  [[nodiscard]] static Result<std::unique_ptr<QemuMachine>> resume(const SavedMachine& saved,
                                                                   const std::filesystem::path& console_log);
  ~QemuMachine() override;

  std::string backend_name() const override { return emulated_ ? "qemu-tcg" : "qemu-kvm"; }
  std::optional<std::string> program_version() const override { return version_; }
  bool is_emulated() const override { return emulated_; }
  MachinePerformance performance() const override;
  Result<MachineStatistics> statistics() override;
  std::vector<std::optional<VcpuRegisters>> last_registers() override;
  void kill() override;

 private:
  using Clock = std::chrono::steady_clock;

  QemuMachine(MachineConfig config, MachinePlan plan, GuestRam ram)
      : config_(std::move(config)), plan_(std::move(plan)), ram_(std::move(ram)) {}

  static Result<std::unique_ptr<QemuMachine>> launch(MachineConfig config, MachinePlan plan,
                                                     const Origin& origin);
  Status boot();
  Status load(const SavedMachine& saved);
  Status connect(Deadline deadline);
  Status read_memory_map(Deadline deadline);
  void set_memory_map(std::vector<RamRange> ranges);
  Error start_error(Error error);

  std::vector<std::optional<VcpuRegisters>> read_registers(Deadline deadline);
  Result<FrozenState> stop(Deadline deadline) override;
  Status go_on() override;
  Status watch(std::span<const Watchpoint> watchpoints, const FrozenState& frozen) override;
  Result<bool> has_hit() override;
  std::optional<WatchHit> take_hit() override;
  int hit_fd() const override { return gdbstub_->fd(); }
  Result<std::unique_ptr<MachineSnapshot>> save(const FrozenState& frozen, Deadline deadline) override;
  int end_fd() const override { return process_->exit_fd(); }
  bool wait_end(Deadline deadline) override;
  Status continue_guest(Deadline deadline);
  void follow_to_the_end();
  bool end_if_stopped();
  MachineEvent conclude() override;

  const MachineConfig config_;
  const MachinePlan plan_;
  const bool emulated_ = config_.accelerator == Accelerator::kTcg;
  const std::size_t cpus_ = config_.topology.cpus();
  GuestRam ram_;
  std::vector<RamRange> ranges_;
  int device_state_ = -1;  ///< its descriptor in QEMU, when this is a fork
  std::unique_ptr<Qmp> qmp_;
  std::unique_ptr<Gdbstub> gdbstub_;
  std::unique_ptr<GdbWatchpoints> watchpoints_;

  std::optional<std::string> version_;
  std::vector<std::optional<VcpuRegisters>> last_registers_;
  Fd saved_state_;  ///< of this freeze: QEMU saves a state once, it has not changed until the machine runs

  std::atomic<bool> killed_by_us_ = false;
  std::mutex stop_signal_mutex_;
  std::optional<int> stop_signal_;

  std::unique_ptr<Process> process_;
  std::jthread end_;  ///< last: waits for what all the others hear of the end
};

}  // namespace ktstr::vmm::qemu

namespace ktstr::vmm {

/// Starts QEMU with `config`; the guest's kernel has begun to boot when this returns. Errors: kUnavailable
/// when QEMU is not installed (names the package); kInvalidArgument when no QEMU machine expresses the
/// configuration; kNotFound or kIo for a kernel, initramfs or console log that can't be opened; otherwise
/// QEMU's own words.
[[nodiscard]] Result<std::unique_ptr<Machine>> start_qemu(const MachineConfig& config);

}  // namespace ktstr::vmm
