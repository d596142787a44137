// Machine: a guest under our control. One interface, several backends; the engine knows no other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "vmm/console_line.h"
#include "vmm/performance.h"
#include "vmm/topology.h"
#include "vmm/vcpu_statistics.h"

namespace ktstr::vmm {

/// What runs the guest's instructions in QEMU.
enum class Accelerator { kTcg, kKvm };

/// What to boot. Paths must stay valid until start() returns; the files' bytes must not change while the
/// machine lives, which may map them.
struct MachineConfig {
  std::filesystem::path kernel_elf;      ///< vmlinux
  std::filesystem::path kernel_bzimage;  ///< may be empty when the kernel was added as ELF
  std::filesystem::path initramfs;       ///< cpio, uncompressed or in any form the kernel unpacks
  Topology topology;
  ByteSize memory;                              ///< of all NUMA nodes: see plan_banks()
  Accelerator accelerator = Accelerator::kTcg;  ///< of QEMU
  std::optional<std::uint32_t> tick_rate{};     ///< the kernel's CONFIG_HZ, where it is known
  bool kaslr = true;
  /// The guest's CPUs can run KVM themselves (AMD's SVM, emulated); its caches are then not the topology's.
  bool nested_virtualization = false;
  std::vector<std::string> kernel_args;  ///< appended to the backend's own
  std::filesystem::path console_log;     ///< every byte of the serial console is appended here
  PerformanceOptions performance{};      ///< what of the host it gets for itself
  friend bool operator==(const MachineConfig&, const MachineConfig&) = default;
};

/// A run of guest RAM in our address space. Shared with the running guest: bytes change under the reader.
struct MemoryRegion {
  GuestPhys base;
  std::span<std::byte> bytes;
};

/// One vCPU's registers at a freeze. A register the backend can't read is absent.
struct VcpuRegisters {
  std::uint64_t rip = 0, rsp = 0, rflags = 0;
  std::array<std::uint64_t, 16> general{};  ///< rax rbx rcx rdx rsi rdi rbp rsp r8..r15, in the
                                            ///< architecture's encoding order of gdb's amd64
  std::uint16_t cs = 0, ss = 0;
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
  std::uint64_t fs_base = 0, gs_base = 0;
  std::optional<std::uint64_t> kernel_gs_base;
  std::optional<std::uint64_t> idt_base;
  std::optional<std::uint64_t> lstar;
};

/// The outcome of a freeze. Registers are absent for a vCPU that did not stop before the deadline, and for
/// one that stands still and whose registers could not be read.
struct FrozenState {
  std::vector<std::optional<VcpuRegisters>> vcpus;
  std::vector<std::size_t> not_stopped{};  ///< ascending; memory stands still when it is empty

  [[nodiscard]] bool all_stopped() const { return not_stopped.empty(); }
};

/// What a machine tells while it runs.
struct GuestExited {};  ///< orderly poweroff or reset
/// The guest has ended, and its console had a panic, in this line: the kernel's own, or what a program
/// wrote. Its memory knows which.
struct GuestPanicked {
  std::string console_line;
  std::optional<Error> other_cause{};  ///< how the machine ended if that line is not the cause
};
struct MachineFailed {
  Error error;
};  ///< the VMM process died or misbehaved; kEmulatorFailed when the emulator itself is at fault
using MachineEvent = std::variant<GuestExited, GuestPanicked, MachineFailed>;

/// A write to watch for: to any of `bytes` (1, 2, 4 or 8) at `address`, a multiple of them.
struct Watchpoint {
  KernelVirt address;
  std::size_t bytes = 8;
  friend bool operator==(const Watchpoint&, const Watchpoint&) = default;
};

/// A watched write. `vcpu`: absent when the machine was being frozen at that moment and the backend can't
/// tell. `old_value`: when the watchpoint was set or last hit; absent where the address was not mapped.
struct WatchHit {
  std::optional<std::size_t> vcpu;
  Watchpoint watchpoint;
  std::optional<std::uint64_t> old_value, new_value;
};

class Machine;

/// A machine's whole state at one instant: RAM, vCPUs, interrupt controllers, clock and devices. Independent
/// of the machine that it was taken of; any number of machines may go on from it, at the same time too.
class MachineSnapshot {
 public:
  virtual ~MachineSnapshot() = default;

  /// A new machine that goes on from here, with memory of its own (copied on write where the backend can).
  /// Its channel is a new socket: the bytes that the guest had not read yet are in its memory, those still on
  /// the host's side are lost, so take snapshots while the channel is idle. The guest has not noticed
  /// anything: whoever forks tells the agent to re-seed its entropy and to set its clock. No watchpoints are
  /// set. Valid while the snapshot is.
  [[nodiscard]] virtual Result<std::unique_ptr<Machine>> fork(
      const std::filesystem::path& console_log) const = 0;
};

/// A booted (or booting) guest. Destroying it ends the guest and leaves no process or file behind.
/// Threads: wait_event() may block in one thread while others call the rest; freeze/thaw are serialised
/// inside.
class Machine {
 public:
  virtual ~Machine() = default;

  /// "qemu-tcg", "qemu-kvm" ...: for reports.
  [[nodiscard]] virtual std::string backend_name() const = 0;
  /// "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)": of the program that runs the guest, where that is another's.
  [[nodiscard]] virtual std::optional<std::string> program_version() const { return std::nullopt; }
  /// Whether instructions are emulated (time inside the guest is slower than on hardware).
  [[nodiscard]] virtual bool is_emulated() const = 0;

  /// RAM, ascending by base, disjoint. Valid as long as the machine lives, after the guest's end too: then it
  /// is as the guest left it.
  [[nodiscard]] virtual std::span<const MemoryRegion> memory() const = 0;

  /// Stops every vCPU. Idempotent; calls nest with thaw().
  [[nodiscard]] virtual Result<FrozenState> freeze(Duration deadline) = 0;
  [[nodiscard]] virtual Status thaw() = 0;

  /// Watches for these writes, by whichever vCPU, and for no others any more. At most kMaxWatchpoints, which
  /// is what x86 has. While there are any, a guest that debugs its own programs with debug registers or
  /// single steps loses those exceptions. Errors: kInvalidArgument; kTimeout when a vCPU does not stop for
  /// it; kUnavailable where the host has none.
  [[nodiscard]] virtual Status set_watchpoints(std::span<const Watchpoint> watchpoints) = 0;
  static constexpr std::size_t kMaxWatchpoints = 4;

  /// The next hit. From then on the machine is frozen, as by freeze(): thaw() lets it go on. Until it is
  /// asked for, a hit keeps at least the vCPU that wrote standing. Errors: kTimeout; kCancelled when the
  /// machine has ended.
  [[nodiscard]] virtual Result<WatchHit> wait_watch_hit(Duration timeout) = 0;

  /// Freezes, saves everything, thaws. Errors: kTimeout when a vCPU did not stop; kUnavailable.
  [[nodiscard]] virtual Result<std::unique_ptr<MachineSnapshot>> snapshot(Duration deadline) = 0;

  /// A connected stream socket to the guest agent's port. Owned by the machine.
  [[nodiscard]] virtual int channel_fd() const = 0;

  /// The host thread that runs vCPU i, or nullopt where one thread runs several (its CPU time is nobody's
  /// alone).
  [[nodiscard]] virtual std::vector<std::optional<int>> vcpu_thread_ids() const = 0;

  /// What the machine got of MachineConfig::performance.
  [[nodiscard]] virtual MachinePerformance performance() const = 0;

  /// What the vCPUs did so far. The first call begins to count what the hardware counts. Errors:
  /// kUnavailable where the backend has no such numbers; kCancelled when the machine has ended.
  [[nodiscard]] virtual Result<MachineStatistics> statistics() = 0;

  /// The next event, or kTimeout. After an event of any kind the guest is gone: every later call returns the
  /// same event.
  [[nodiscard]] virtual Result<MachineEvent> wait_event(Duration timeout) = 0;

  /// The registers that the vCPUs had when the guest reset the machine, which is how a panicked kernel ends.
  /// Empty: it did not end so, or the backend can't tell. Once there is an event.
  [[nodiscard]] virtual std::vector<std::optional<VcpuRegisters>> last_registers() { return {}; }

  /// The last `lines` lines of the console.
  [[nodiscard]] virtual std::string console_tail(std::size_t lines) const = 0;
  /// What the console said of the guest's death so far; a living guest can write that too.
  [[nodiscard]] virtual ConsoleFindings console_findings() const { return {}; }
  /// Why MachineConfig::console_log does not hold the whole console, if so.
  [[nodiscard]] virtual std::optional<std::string> console_log_problem() const { return std::nullopt; }

  /// Ends the guest now. Idempotent; also done by the destructor.
  virtual void kill() = 0;
};

}  // namespace ktstr::vmm
