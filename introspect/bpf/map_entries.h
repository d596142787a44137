// MapEntries: a map's entries as raw bytes, all in one buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ktstr::introspect {

/// Entries of one shape: a key of key_size bytes, then one value of value_size bytes for each slot (one, or
/// one per CPU). Spans live as long as the table and are invalidated by appending.
class MapEntries {
 public:
  MapEntries() = default;
  /// A key size of 0: an entry's key is its index, as a u32.
  MapEntries(std::uint32_t key_size, std::uint32_t value_size, std::uint32_t slots = 1);

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t key_size() const { return key_size_; }
  [[nodiscard]] std::uint32_t value_size() const { return value_size_; }
  /// Values of an entry: 1, or nr_cpu_ids of a per-CPU map.
  [[nodiscard]] std::uint32_t slots() const { return slots_; }

  /// Preconditions: entry < size(), slot < slots().
  [[nodiscard]] std::span<const std::byte> key(std::size_t entry) const {
    return std::span(bytes_).subspan(entry * stride_, key_size_);
  }
  /// nullopt: the value can't be read (or `slot` is no possible CPU).
  [[nodiscard]] std::optional<std::span<const std::byte>> value(std::size_t entry,
                                                                std::size_t slot = 0) const {
    if (!absent_.empty() && absent_[entry * slots_ + slot]) return std::nullopt;
    return std::span(bytes_).subspan(entry * stride_ + value_offset(slot), value_size_);
  }

  // Building a table.

  /// Entries that fit in `bytes` with all that showing each entry and value takes beside its own bytes, at
  /// least one.
  [[nodiscard]] std::size_t capacity_for(std::uint64_t bytes) const;
  /// What all entries take by that count.
  [[nodiscard]] std::uint64_t memory_bytes() const { return count_ * cost(); }
  void reserve(std::size_t entries) { bytes_.reserve(entries * stride_); }
  /// A new entry, zeroed. The span covers key and values and is valid until the next append.
  std::span<std::byte> append();
  [[nodiscard]] std::span<std::byte> slot_bytes(std::size_t entry, std::size_t slot) {
    return std::span(bytes_).subspan(entry * stride_ + value_offset(slot), value_size_);
  }
  [[nodiscard]] std::span<std::byte> key_bytes(std::size_t entry) {
    return std::span(bytes_).subspan(entry * stride_, key_size_);
  }
  void mark_absent(std::size_t entry, std::size_t slot);
  /// Drops the entries from `entries` on.
  void cut(std::size_t entries);

 private:
  static constexpr std::uint64_t kEntryBytes = 32;  ///< beside its key and values
  static constexpr std::uint64_t kValueBytes = 32;
  [[nodiscard]] std::uint64_t cost() const { return stride_ + kEntryBytes + kValueBytes * slots_; }
  [[nodiscard]] std::size_t value_offset(std::size_t slot) const { return key_size_ + slot * value_size_; }

  std::uint32_t key_size_ = 0;
  std::uint32_t value_size_ = 0;
  std::uint32_t slots_ = 1;
  std::size_t stride_ = 0;
  std::size_t count_ = 0;
  std::vector<std::byte> bytes_;
  std::vector<bool> absent_;  ///< by entry * slots + slot; empty while every value was read
};

}  // namespace ktstr::introspect
