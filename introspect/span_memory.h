// SpanMemory: guest-physical memory made of byte ranges in our own address space.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "introspect/memory.h"

namespace ktstr::introspect {

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

}  // namespace ktstr::introspect
