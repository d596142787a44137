// SpanMemory and WritableSpans: guest-physical memory made of byte ranges in our own address space.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "introspect/memory.h"

namespace ktstr::introspect {

/// Copies out.size() bytes from `from`, which a guest may be writing. Every aligned 8-byte word (and aligned
/// 4- or 2-byte piece outside those words) is read in one access, so a counter or pointer is never half old
/// and half new; different words may be of different instants.
void copy_shared(std::span<std::byte> out, const std::byte* from);

/// A run of guest RAM that lies at `bytes` in our address space.
struct MemorySpan {
  GuestPhys base;
  std::span<const std::byte> bytes;
};

/// Physical memory backed by mapped ranges: a machine's shared RAM, a saved image, a test's arena.
/// The ranges are borrowed and must outlive it. Reads are safe from any thread and while the guest writes:
/// see copy_shared().
class SpanMemory final : public PhysicalMemory {
 public:
  SpanMemory() = default;
  /// Spans in any order. Precondition: they neither overlap nor reach past 2^64.
  explicit SpanMemory(std::vector<MemorySpan> spans);

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override;
  [[nodiscard]] GuestPhys end() const override;

  /// The ranges, ascending by base.
  [[nodiscard]] std::span<const MemorySpan> spans() const { return spans_; }

 private:
  std::vector<MemorySpan> spans_;
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
