// Gdbstub: a client of QEMU's GDB stub, for the registers of a stopped machine and for watchpoints.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/io.h"
#include "engine/base/result.h"
#include "vmm/qemu/gdb_packet.h"
#include "vmm/qemu/gdb_target.h"
#include "vmm/watch_hits.h"

namespace ktstr::vmm::qemu {

/// Not thread-safe. The machine must be stopped during every call but receive_notices(): the stub reads a
/// vCPU's state as it stands, and stops a machine that runs when it is asked for something.
class Gdbstub {
 public:
  explicit Gdbstub(Fd socket) : socket_(std::move(socket)) {}

  /// Learns the stub's registers. Once, first. Errors: kTimeout, kIo, kCorrupt.
  [[nodiscard]] Status connect(Deadline deadline);

  /// Registers of vCPU `index`. Errors: kTimeout, kIo when the stub is gone, kCorrupt when its answer makes
  /// no sense.
  [[nodiscard]] Result<VcpuRegisters> registers(std::size_t index, Deadline deadline);

  /// Sets or removes a watchpoint on all vCPUs. The machine stops at a hit. Errors: kTimeout; kIo;
  /// kUnavailable when the stub refuses.
  [[nodiscard]] Status set_watchpoint(const Watchpoint& watchpoint, bool on, Deadline deadline);

  /// Memory as vCPU `index` maps it; nothing where it maps none. Errors: as registers().
  [[nodiscard]] Result<std::optional<std::string>> read_memory(std::size_t index, KernelVirt address,
                                                               std::size_t bytes, Deadline deadline);

  /// Makes the machine run. The stub answers with a stop notice, whenever that comes; from QEMU 8.0 on it
  /// sends one in no other case. Errors: kIo.
  [[nodiscard]] Status resume();

  /// Readable when there is something for receive_notices().
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Takes in what the stub has sent by now. Errors: kIo when it is gone.
  [[nodiscard]] Status receive_notices();
  /// The hits that were told since the last call, by whichever call they came in.
  [[nodiscard]] std::vector<GdbWatch> take_watches() { return std::exchange(watches_, {}); }

  [[nodiscard]] const std::vector<GdbRegister>& layout() const { return layout_; }

 private:
  /// Makes the next requests be about vCPU `index`.
  Status select(std::size_t index, Deadline deadline);
  /// Whether `packet` is a stop notice; keeps what it says of a watchpoint.
  bool take_notice(std::string_view packet);
  /// Sends `request` and returns the answer to it, past the stop notices that the stub sends whenever the
  /// machine stops.
  Result<std::string> ask(std::string_view request, Deadline deadline);
  Result<std::string> fetch_document(const std::string& name, Deadline deadline);
  Status send(std::string_view bytes);
  Result<std::string> receive(Deadline deadline);

  Fd socket_;
  GdbPacketReader packets_;
  std::size_t answers_owed_ = 0;  ///< more than one after a timeout: the late answers are passed over
  std::vector<GdbRegister> layout_;
  std::vector<GdbWatch> watches_;
};

/// Not thread-safe, as the stub is not. QEMU stops the machine at a hit by itself.
class GdbWatchpoints {
 public:
  /// `stub` must outlive it. Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<GdbWatchpoints>> create(Gdbstub& stub, std::size_t cpus);

  /// Watches these and no others. Precondition: the machine is stopped. Errors: those of check_watchpoints();
  /// kUnavailable when QEMU refuses one, and then none is set.
  [[nodiscard]] Status set(std::span<const Watchpoint> watchpoints, Deadline deadline);

  /// Takes in what the stub has told; the machine may run.
  [[nodiscard]] Status collect();
  /// The same, and finds what QEMU does not tell: when a stop of ours comes between a write and its report,
  /// the report is lost. Precondition: the machine is stopped.
  [[nodiscard]] Status collect_all(Deadline deadline);

  [[nodiscard]] bool any() const { return !set_.empty(); }
  [[nodiscard]] bool caught() const { return !hits_->empty(); }
  /// The oldest hit. Precondition: the machine is stopped.
  [[nodiscard]] std::optional<WatchHit> take(Deadline deadline);

 private:
  GdbWatchpoints(Gdbstub& stub, std::size_t cpus, std::unique_ptr<WatchHits> hits)
      : stub_(stub), cpus_(cpus), hits_(std::move(hits)) {}
  Status insert(std::span<const Watchpoint> watchpoints, Deadline deadline);
  Status remove_all(Deadline deadline);
  std::optional<std::uint64_t> read(const Watchpoint& watchpoint, Deadline deadline) const;

  Gdbstub& stub_;
  const std::size_t cpus_;
  std::unique_ptr<WatchHits> hits_;
  std::vector<Watchpoint> set_;
};

}  // namespace ktstr::vmm::qemu
