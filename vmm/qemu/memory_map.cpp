#include "vmm/qemu/memory_map.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "vmm/qemu/lines.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::string_view kRamKind = ", ram): ";

Error corrupt(const std::string& what) {
  return {ErrorCode::kCorrupt, "memory map of the machine: " + what};
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::size_t> find_bank(std::string_view name, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (name == bank_name(i)) return i;
  return std::nullopt;
}

/// "0000000000100000-000000001fffffff (prio 0, ram): ram0 @0000000000100000": the offset is left out when it
/// is 0. Nothing for lines of another form and for memory that is not ours (firmware, devices).
std::optional<RamRange> parse_range(std::string_view line, std::size_t bank_count) {
  const auto kind = line.find(kRamKind);
  const auto dash = line.find('-');
  const auto space = line.find(' ');
  if (kind == line.npos || dash == line.npos || space == line.npos || dash > space) return std::nullopt;
  auto name = line.substr(kind + kRamKind.size());
  const auto at = name.find(" @");
  const auto offset = at == name.npos ? std::optional<std::uint64_t>(0) : parse_hex(name.substr(at + 2));
  const auto bank = find_bank(name.substr(0, at), bank_count);
  const auto first = parse_hex(line.substr(0, dash));
  const auto last = parse_hex(line.substr(dash + 1, space - dash - 1));
  if (!offset || !bank || !first || !last || *last < *first) return std::nullopt;
  return RamRange{GuestPhys(*first), *last - *first + 1, *bank, *offset};
}

/// The lines of the view that holds the address space called "memory", up to the empty line or the next view.
std::vector<std::string_view> memory_view(std::string_view mtree) {
  std::vector<std::string_view> view;
  bool is_memory = false;
  for (const auto line : split_lines(mtree)) {
    if (line.starts_with("FlatView")) {
      if (is_memory) break;
      view.clear();
    }
    if (line.starts_with("AS \"memory\",")) is_memory = true;
    view.push_back(line);
  }
  if (!is_memory) view.clear();
  return view;
}

Status check(const std::vector<RamRange>& ranges, std::span<const std::uint64_t> bank_bytes) {
  GuestPhys end(0);
  for (const auto& range : ranges) {
    const auto limit = bank_bytes[range.bank];
    if (range.bytes > limit || range.bank_offset > limit - range.bytes)
      return corrupt(bank_name(range.bank) + " reaches past its end");
    if (range.base < end) return corrupt("RAM ranges overlap");
    end = range.base + range.bytes;
  }
  return ok();
}

}  // namespace

std::string bank_name(std::size_t index) {
  return "ram" + std::to_string(index);
}

Result<std::vector<RamRange>> parse_memory_map(std::string_view mtree,
                                               std::span<const std::uint64_t> bank_bytes) {
  std::vector<RamRange> ranges;
  for (const auto line : memory_view(mtree))
    if (const auto range = parse_range(line, bank_bytes.size())) ranges.push_back(*range);
  if (ranges.empty()) return corrupt("no RAM in the address space \"memory\"");
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.base < b.base; });
  KTSTR_TRY(check(ranges, bank_bytes));
  return ranges;
}

}  // namespace ktstr::vmm::qemu
