// WritableMemory: guest-physical memory that may be changed, for the few things that are.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/address.h"

namespace ktstr::introspect {

/// Writing is apart from PhysicalMemory, so that nobody who only reads can do it.
class WritableMemory {
 public:
  virtual ~WritableMemory() = default;

  /// Stores `bytes` at `address`: every aligned 8-, 4- or 2-byte piece in one access, as a guest's own store
  /// would be seen. False, with nothing written, when any byte lies outside RAM.
  [[nodiscard]] virtual bool write(GuestPhys address, std::span<const std::byte> bytes) = 0;
};

/// A run of guest RAM in our address space.
struct WritableSpan {
  GuestPhys base;
  std::span<std::byte> bytes;
};

/// The mapped ranges of a machine, borrowed.
class WritableSpans final : public WritableMemory {
 public:
  /// A write must lie within one span. Precondition: spans do not overlap.
  explicit WritableSpans(std::vector<WritableSpan> spans) : spans_(std::move(spans)) {}
  [[nodiscard]] bool write(GuestPhys address, std::span<const std::byte> bytes) override;

 private:
  std::vector<WritableSpan> spans_;
};

}  // namespace ktstr::introspect
