// QemuMachine: the Machine that runs in a QEMU process.
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
#include "vmm/console.h"
#include "vmm/guest_ram.h"
#include "vmm/machine.h"
#include "vmm/qemu/gdb_watchpoints.h"
#include "vmm/qemu/gdbstub.h"
#include "vmm/qemu/launch.h"
#include "vmm/qemu/machine_plan.h"
#include "vmm/qemu/memory_map.h"
#include "vmm/qemu/process.h"
#include "vmm/qemu/qmp.h"
#include "vmm/qemu/snapshot.h"

namespace ktstr::vmm::qemu {

/// A guest in a QEMU process. Four threads serve it: the process's, QMP's, the console's and one for its end.
class QemuMachine final : public Machine {
 public:
  /// A guest whose kernel has begun to boot. Errors: as start_qemu().
  [[nodiscard]] static Result<std::unique_ptr<QemuMachine>> start(const MachineConfig& config);
  /// A guest that has gone on from `saved`. Errors: kIo; kUnavailable; otherwise QEMU's own words.
  [[nodiscard]] static Result<std::unique_ptr<QemuMachine>> resume(const SavedMachine& saved,
                                                                   const std::filesystem::path& console_log);
  ~QemuMachine() override;

  std::string backend_name() const override { return emulated_ ? "qemu-tcg" : "qemu-kvm"; }
  bool is_emulated() const override { return emulated_; }
  std::span<const MemoryRegion> memory() const override { return regions_; }
  Result<FrozenState> freeze(Duration deadline) override;
  Status thaw() override;
  Status set_watchpoints(std::span<const Watchpoint> watchpoints) override;
  Result<WatchHit> wait_watch_hit(Duration timeout) override;
  Result<std::unique_ptr<MachineSnapshot>> snapshot(Duration deadline) override;
  int channel_fd() const override { return channel_.get(); }
  std::vector<std::optional<int>> vcpu_thread_ids() const override { return thread_ids_; }
  MachinePerformance performance() const override;
  Result<MachineStatistics> statistics() override;
  Result<MachineEvent> wait_event(Duration timeout) override;
  std::vector<std::optional<VcpuRegisters>> last_registers() override;
  std::string console_tail(std::size_t lines) const override { return console_->tail(lines); }
  ConsoleFindings console_findings() const override { return console_->findings(); }
  std::optional<std::string> console_log_problem() const override { return log_problem(*console_); }
  void kill() override;

 private:
  using Clock = std::chrono::steady_clock;

  QemuMachine(MachineConfig config, MachinePlan plan, GuestRam ram)
      : config_(std::move(config)), plan_(std::move(plan)), ram_(std::move(ram)) {}

  static Result<std::unique_ptr<QemuMachine>> launch(MachineConfig config, MachinePlan plan,
                                                     const Origin& origin);
  Status boot();
  Status load(const SavedMachine& saved);
  Status connect(Clock::time_point deadline);
  Status read_memory_map(Clock::time_point deadline);
  void set_memory_map(std::vector<RamRange> ranges);
  Error start_error(Error error);

  std::vector<std::optional<VcpuRegisters>> read_registers(Clock::time_point deadline);
  Result<SavedMachine> save(Clock::time_point deadline);
  Status go_on(Clock::time_point deadline);
  Result<std::optional<WatchHit>> take_watch_hit();
  bool wait_readable(int fd, Clock::time_point deadline) const;
  void follow_to_the_end();
  bool end_if_stopped();
  void conclude();

  const MachineConfig config_;
  const MachinePlan plan_;
  const bool emulated_ = config_.accelerator == Accelerator::kTcg;
  const std::size_t cpus_ = config_.topology.cpus();
  GuestRam ram_;
  std::vector<RamRange> ranges_;
  std::vector<MemoryRegion> regions_;
  std::vector<std::optional<int>> thread_ids_;
  int device_state_ = -1;  ///< its descriptor in QEMU, when this is a fork
  Fd channel_;
  std::unique_ptr<Console> console_;
  std::unique_ptr<Qmp> qmp_;
  std::unique_ptr<Gdbstub> gdbstub_;
  std::unique_ptr<GdbWatchpoints> watchpoints_;

  std::mutex snapshot_mutex_;
  std::mutex freeze_mutex_;
  std::size_t freeze_depth_ = 0;
  FrozenState frozen_;
  std::vector<std::optional<VcpuRegisters>> last_registers_;
  Fd saved_state_;  ///< of this freeze: QEMU saves a state once, it has not changed until the machine runs

  std::mutex event_mutex_;
  std::optional<MachineEvent> event_;
  std::atomic<bool> killed_by_us_ = false;
  std::optional<int> stop_signal_;

  std::unique_ptr<Process> process_;
  std::jthread end_;  ///< last: waits for what all the others hear of the end
};

}  // namespace ktstr::vmm::qemu
