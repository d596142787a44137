// CopyingMemory: guest memory that can still be read as it was after the guest runs on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "introspect/memory.h"
#include "introspect/read_budget.h"

namespace ktstr::introspect {

/// Copies every page that is read, until it is sealed; from then on what was copied is all that there is. Who
/// reads the same things twice, before and after, reads the same bytes twice, whatever the guest did
/// meanwhile. Page tables are memory like any other: a Translator over it is as still as the rest.
class CopyingMemory final : public PhysicalMemory {
 public:
  static constexpr std::size_t kPageBytes = 4096;
  /// 64 MB. Pages beyond can't be read.
  static constexpr std::size_t kMaxPages = std::size_t{1} << 14;

  /// `guest` and `budget`, from which the pages are taken too, must outlive the reads before seal(). The
  /// guest stands still for as long as those take.
  explicit CopyingMemory(const PhysicalMemory& guest, std::size_t max_pages = kMaxPages,
                         ReadBudget* budget = nullptr)
      : guest_(&guest), end_(guest.end()), max_pages_(max_pages), budget_(budget) {}

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override;
  [[nodiscard]] GuestPhys end() const override { return end_; }

  /// The guest is not read any more.
  void seal();
  /// Whether a page was refused because there were too many.
  [[nodiscard]] bool is_full() const;

 private:
  using Page = std::array<std::byte, kPageBytes>;
  /// nullptr: it was never copied and can't be now.
  [[nodiscard]] const Page* page(std::uint64_t number) const;

  const PhysicalMemory* guest_;  ///< nullptr: sealed
  GuestPhys end_;
  std::size_t max_pages_;
  ReadBudget* budget_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;  ///< null: could not be read
  mutable bool full_ = false;
};

}  // namespace ktstr::introspect
