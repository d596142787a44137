// The KVM backend of Machine: a virtual machine in this process.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "vmm/backend_machine.h"
#include "vmm/guest_ram.h"
#include "vmm/kvm/ending.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/kvm_snapshot.h"
#include "vmm/kvm/machine_devices.h"
#include "vmm/kvm/machine_ram.h"
#include "vmm/kvm/placement.h"
#include "vmm/kvm/statistics_reader.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/watch_hits.h"

namespace ktstr::vmm::kvm {

/// A guest in this process: a thread for each vCPU, one for the channel and one for the console.
class KvmMachine final : public BackendMachine {
 public:
  /// Makes a machine on /dev/kvm and starts it; the guest's kernel has begun to boot when this returns.
  /// Errors: kUnavailable when KVM is not there or lacks something; kInvalidArgument when no machine of ours
  /// expresses the configuration; kNotFound, kIo or kCorrupt for a kernel, initramfs or console log that
  /// can't be used.
  [[nodiscard]] static Result<std::unique_ptr<KvmMachine>> start(const MachineConfig& config);
  /// One that continues from `state`. Errors: as start(); those of restore_machine().
  [[nodiscard]] static Result<std::unique_ptr<KvmMachine>> fork(const MachineState& state,
                                                                const std::filesystem::path& console_log);
  ~KvmMachine() override;

  std::string backend_name() const override { return "kvm"; }
  bool is_emulated() const override { return emulated_; }
  MachinePerformance performance() const override { return placement_.performance(ram_); }
  Result<MachineStatistics> statistics() override;
  void kill() override;

 private:
  KvmMachine(const Topology& topology, HostPlacement placement, GuestRam ram)
      : topology_(topology), placement_(std::move(placement)), ram_(std::move(ram)), gate_(topology.cpus()) {}

  Status assemble(const std::filesystem::path& console_log);
  Status connect(const std::filesystem::path& console_log);
  Status make_vcpus(const Kvm& kvm);
  Status load(const MachineConfig& config);
  Status restore(const MachineState& state);
  Status begin();
  MachineParts parts() { return {*vm_, *devices_, vcpus_}; }
  std::vector<std::optional<VcpuRegisters>> read_registers(const std::vector<bool>& stopped) const;
  void tell_clocks() const;
  std::optional<std::uint64_t> read_watched(const Watchpoint& watchpoint) const;
  void end_vcpus();

  Result<FrozenState> stop(Deadline deadline) override;
  Status go_on() override;
  Status watch(std::span<const Watchpoint> watchpoints, const FrozenState& frozen) override;
  Result<bool> has_hit() override;
  std::optional<WatchHit> take_hit() override;
  int hit_fd() const override { return hits_->fd(); }
  Result<std::unique_ptr<MachineSnapshot>> save(const FrozenState& frozen, Deadline deadline) override;
  int end_fd() const override { return ending_->fd(); }
  MachineEvent conclude() override;

  const Topology topology_;
  const HostPlacement placement_;
  const bool emulated_ = host_is_emulated();
  GuestRam ram_;
  std::vector<RamPart> ram_parts_;
  std::optional<GuestMemory> guest_memory_;

  std::unique_ptr<Ending> ending_;
  std::unique_ptr<WatchHits> hits_;
  Fd console_end_;  ///< what the serial port writes into
  std::optional<Vm> vm_;
  std::unique_ptr<MachineDevices> devices_;
  PauseGate gate_;
  std::optional<VcpuSurroundings> surroundings_;

  std::mutex vcpus_mutex_;
  StatisticsReader statistics_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;  // last: their threads use everything else
};

}  // namespace ktstr::vmm::kvm
