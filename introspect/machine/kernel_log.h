// What the kernel itself has said: the records of its log, in memory, with who wrote them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

/// A record of the log that printk() writes (kernel/printk/printk_ringbuffer.h).
struct KernelLogRecord {
  std::uint64_t sequence = 0;
  /// LOG_KERN, 0: the kernel's own words. What a program writes to /dev/kmsg never has it.
  std::uint8_t facility = 0;
  std::string text;

  [[nodiscard]] bool is_kernels() const { return facility == 0; }
};

/// The records that begin with `beginning`, oldest first; of each text at most kMostLogText bytes. Of the
/// kernel's own at most kMostLogRecords are kept, and as many of programs', so that neither crowds out the
/// other. A guest that runs may overwrite records meanwhile: those that change while they are read are left
/// out. Errors: kNotFound, the kernel has no such log or layout; kOutOfRange, it can't be read or its size is
/// not plausible.
[[nodiscard]] Result<std::vector<KernelLogRecord>> find_log_records(const Kernel& kernel,
                                                                    std::string_view beginning);
inline constexpr std::size_t kMostLogText = 512;
inline constexpr std::size_t kMostLogRecords = 1024;

}  // namespace ktstr::introspect
