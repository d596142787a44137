// Gdbstub: a client of QEMU's GDB stub, for the registers of a stopped machine.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/fd.h"
#include "vmm/qemu/gdb_packet.h"
#include "vmm/qemu/gdb_target.h"

namespace ktstr::vmm::qemu {

/// Not thread-safe. The machine must be stopped during every call: the stub reads a vCPU's state as it
/// stands.
class Gdbstub {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit Gdbstub(Fd socket) : socket_(std::move(socket)) {}

  /// Learns the stub's registers. Once, first. Errors: kTimeout, kIo, kCorrupt.
  [[nodiscard]] Status connect(Deadline deadline);

  /// Registers of vCPU `index`. Errors: kTimeout, kIo when the stub is gone, kCorrupt when its answer makes
  /// no sense.
  [[nodiscard]] Result<VcpuRegisters> registers(std::size_t index, Deadline deadline);

  [[nodiscard]] const std::vector<GdbRegister>& layout() const { return layout_; }

 private:
  /// Sends `request` and returns the answer to it: stop notices, which the stub sends whenever the machine
  /// stops, are passed over.
  Result<std::string> ask(std::string_view request, Deadline deadline);
  Result<std::string> fetch_document(const std::string& name, Deadline deadline);
  Status send(std::string_view bytes);
  Result<std::string> receive(Deadline deadline);

  Fd socket_;
  GdbPacketReader packets_;
  std::size_t answers_owed_ = 0;  ///< more than one after a timeout: the late answers are passed over
  std::vector<GdbRegister> layout_;
};

}  // namespace ktstr::vmm::qemu
