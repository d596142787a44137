// The stub's own description of its registers (GDB manual, appendix G "Target Descriptions").
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm::qemu {

/// One register's place in the stub's answer to "g".
struct GdbRegister {
  std::string name;
  std::size_t offset = 0;  ///< bytes
  std::size_t size = 0;    ///< bytes
};

/// Fetches one document of the description by its name.
using FetchDocument = std::function<Result<std::string>(const std::string& name)>;

/// The registers in order, from "target.xml" and what it includes. Errors: fetch's own; kCorrupt when a
/// document is not a description (too deep, a size that is no whole number of bytes).
[[nodiscard]] Result<std::vector<GdbRegister>> read_gdb_target(const FetchDocument& fetch);

/// An answer to "g" (hexadecimal, little-endian values) as registers. Nothing when a register that every
/// amd64 stub has is missing from `layout` or from the answer.
[[nodiscard]] std::optional<VcpuRegisters> parse_gdb_registers(std::string_view answer,
                                                               const std::vector<GdbRegister>& layout);

}  // namespace ktstr::vmm::qemu
