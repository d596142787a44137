#include "vmm/qemu/monitor_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "vmm/qemu/gdb_packet.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::string_view kRamKind = ", ram): ";

Error bad_memory_map(const std::string& what) {
  return corrupted("memory map of the machine: " + what);
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
      return bad_memory_map(bank_name(range.bank) + " reaches past its end");
    if (range.base < end) return bad_memory_map("RAM ranges overlap");
    end = range.base + range.bytes;
  }
  return ok();
}

template <class T>
std::optional<T> leading_number(std::string_view text, int base) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

const std::int64_t* integer(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  return member ? member->get_if<std::int64_t>() : nullptr;
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
  if (ranges.empty()) return bad_memory_map("no RAM in the address space \"memory\"");
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.base < b.base; });
  KTSTR_TRY(check(ranges, bank_bytes));
  return ranges;
}

std::vector<std::optional<std::uint64_t>> parse_idt_bases(std::string_view text, std::size_t cpus) {
  std::vector<std::optional<std::uint64_t>> bases(cpus);
  std::optional<std::size_t> cpu;
  for (const auto line : split_lines(text)) {
    if (line.starts_with("CPU#")) cpu = leading_number<std::size_t>(line.substr(4), 10);
    if (line.starts_with("IDT=") && cpu && *cpu < cpus)
      bases[*cpu] = leading_number<std::uint64_t>(line.substr(4), 16);
  }
  return bases;
}

std::vector<std::optional<int>> parse_thread_ids(const Value& cpus_fast, std::size_t cpus) {
  std::vector<std::optional<int>> threads(cpus);
  const auto* list = cpus_fast.get_if<Value::List>();
  for (const auto& cpu : list ? *list : Value::List{}) {
    const auto* index = integer(cpu, "cpu-index");
    const auto* thread = integer(cpu, "thread-id");
    if (index && thread && *index >= 0 && static_cast<std::size_t>(*index) < cpus)
      threads[static_cast<std::size_t>(*index)] = static_cast<int>(*thread);
  }
  const auto all = threads;
  for (auto& thread : threads)
    if (std::count(all.begin(), all.end(), thread) > 1) thread.reset();
  return threads;
}

std::optional<std::string> parse_version_answer(const Value& answer) {
  const auto* qemu = answer.find("qemu");
  if (!qemu) return std::nullopt;
  const auto *major = integer(*qemu, "major"), *minor = integer(*qemu, "minor"),
             *micro = integer(*qemu, "micro");
  if (!major || !minor || !micro) return std::nullopt;
  auto version = fmt::format("{}.{}.{}", *major, *minor, *micro);
  const auto* package = answer.find("package");
  const auto* name = package ? package->get_if<std::string>() : nullptr;
  if (name && !name->empty()) version += fmt::format(" ({})", *name);
  return version;
}

}  // namespace ktstr::vmm::qemu
