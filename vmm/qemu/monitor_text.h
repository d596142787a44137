// Facts that only the human monitor tells, from its text, above all where QEMU put the guest's RAM; and those
// of QMP's answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "engine/base/value.h"

namespace ktstr::vmm::qemu {

/// The lines of `text` without line ends ("\n" or "\r\n") and leading blanks.
[[nodiscard]] inline std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    lines.push_back(line);
  }
  return lines;
}

/// A run of guest-physical addresses backed by one memory backend ("bank").
struct RamRange {
  GuestPhys base;
  std::uint64_t bytes = 0;
  std::size_t bank = 0;
  std::uint64_t bank_offset = 0;

  friend bool operator==(const RamRange&, const RamRange&) = default;
};

/// The name of bank `index` in the machine: its -object id.
[[nodiscard]] std::string bank_name(std::size_t index);

/// The ranges of the CPUs' address space "memory" that our banks back, ascending and disjoint. `bank_bytes`
/// are the banks' sizes. Errors: kCorrupt when there is no such view, no RAM, or a range that leaves its bank
/// or overlaps another.
[[nodiscard]] Result<std::vector<RamRange>> parse_memory_map(std::string_view mtree,
                                                             std::span<const std::uint64_t> bank_bytes);

/// The interrupt descriptor table's address of each CPU, from `info registers -a`; `cpus` elements, absent
/// where not told.
[[nodiscard]] std::vector<std::optional<std::uint64_t>> parse_idt_bases(std::string_view text,
                                                                        std::size_t cpus);

/// The host thread of each CPU, from query-cpus-fast; absent where one thread runs several CPUs, or none is
/// told.
[[nodiscard]] std::vector<std::optional<int>> parse_thread_ids(const Value& cpus_fast, std::size_t cpus);

/// "10.0.2", with the package that it is from in brackets, of query-version's answer; nullopt when it says
/// none.
[[nodiscard]] std::optional<std::string> parse_version_answer(const Value& answer);

}  // namespace ktstr::vmm::qemu
