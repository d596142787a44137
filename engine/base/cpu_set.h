// CpuSet: a set of CPU (or NUMA node) numbers, in the kernel's list notation ("0-3,8").
#pragma once

#include <bitset>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr {

class CpuSet {
 public:
  /// CPU numbers are below this (the kernel's CONFIG_NR_CPUS default maximum for distributions).
  static constexpr std::size_t kCapacity = 8192;

  CpuSet() = default;
  CpuSet(std::initializer_list<std::size_t> cpus);
  /// All CPUs in [first, last).
  [[nodiscard]] static CpuSet range(std::size_t first, std::size_t last);
  /// "0-3,8"; "" is the empty set. Errors: not the kernel's list notation, or a number >= kCapacity.
  [[nodiscard]] static Result<CpuSet> parse(std::string_view list);

  /// Precondition: cpu < kCapacity.
  void add(std::size_t cpu) { bits_.set(cpu); }
  void remove(std::size_t cpu) { bits_.reset(cpu); }
  [[nodiscard]] bool contains(std::size_t cpu) const { return cpu < kCapacity && bits_.test(cpu); }
  [[nodiscard]] std::size_t count() const { return bits_.count(); }
  [[nodiscard]] bool empty() const { return bits_.none(); }
  [[nodiscard]] bool is_subset_of(const CpuSet& other) const { return (bits_ & ~other.bits_).none(); }
  /// The CPUs in ascending order.
  [[nodiscard]] std::vector<std::size_t> to_vector() const;
  /// The kernel's list notation: "0-3,8".
  [[nodiscard]] std::string to_string() const;

  friend CpuSet operator&(const CpuSet& a, const CpuSet& b) { return CpuSet(a.bits_ & b.bits_); }
  friend CpuSet operator|(const CpuSet& a, const CpuSet& b) { return CpuSet(a.bits_ | b.bits_); }
  friend bool operator==(const CpuSet&, const CpuSet&) = default;

 private:
  explicit CpuSet(const std::bitset<kCapacity>& bits) : bits_(bits) {}

  std::bitset<kCapacity> bits_;
};

}  // namespace ktstr
