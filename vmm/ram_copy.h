// Copies of guest memory that take what the guest touched and no more.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/guest_ram.h"

namespace ktstr::vmm {

/// Copies the pages that `source` has into `target` at the same places; holes are left as they are, so the
/// target must have none of its own there to become equal. Both are memfds of one size. Whoever writes to
/// the source meanwhile gets a mixture. Errors: kInvalidArgument when the sizes differ; kIo.
[[nodiscard]] Status copy_ram(int source, int target);

/// Makes a memfd read-only for good: neither its bytes nor its size change from here on. It may still be
/// mapped, shared for reading or privately. Errors: kIo (while it is mapped shared and writable, or made
/// without MFD_ALLOW_SEALING).
[[nodiscard]] Status seal_ram(int fd);

/// A machine's memory at one instant: one sealed memfd per bank, what was not touched is a hole.
class RamTemplate {
 public:
  /// A copy of `ram`. Precondition: its machine is frozen. Errors: as copy_ram().
  [[nodiscard]] static Result<RamTemplate> take(const GuestRam& ram);

  [[nodiscard]] std::size_t bank_count() const { return banks_.size(); }
  /// Preconditions: bank < bank_count().
  [[nodiscard]] int fd(std::size_t bank) const { return banks_[bank].get(); }
  /// What the pages of all banks take, in bytes. Errors: kIo.
  [[nodiscard]] Result<std::uint64_t> stored_bytes() const;

  /// Makes `ram`, fresh, of the same banks and not of reserved pages, equal to this. Errors: as copy_ram().
  [[nodiscard]] Status copy_into(GuestRam& ram) const;

 private:
  std::vector<Fd> banks_;
};

}  // namespace ktstr::vmm
