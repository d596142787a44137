// Gdbstub: a client of QEMU's GDB stub, for the registers of a stopped machine and for watchpoints.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/fd.h"
#include "vmm/qemu/gdb_packet.h"
#include "vmm/qemu/gdb_target.h"

namespace ktstr::vmm::qemu {

/// Not thread-safe. The machine must be stopped during every call but receive_notices(): the stub reads a
/// vCPU's state as it stands, and stops a machine that runs when it is asked for something.
class Gdbstub {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

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

}  // namespace ktstr::vmm::qemu
