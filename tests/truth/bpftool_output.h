// What bpftool says of maps and programs, parsed out of its JSON.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ktstr::truth {

using Bytes = std::vector<std::byte>;

/// One entry of `bpftool -j map dump`. A value that bpftool could not get is empty.
struct DumpedEntry {
  Bytes key;
  std::vector<Bytes> values;  ///< one, or one per possible CPU
  friend auto operator<=>(const DumpedEntry&, const DumpedEntry&) = default;
};

/// The entries, sorted by key; nullopt when bpftool could not dump the map at all. Only the arrays of "0x.."
/// strings are looked at: what bpftool adds under "formatted" is not always JSON (characters of strings that
/// are no text).
[[nodiscard]] std::optional<std::vector<DumpedEntry>> parse_map_dump(std::string_view text);

/// One map of `bpftool -j map show`, or program of `bpftool -j prog show`. Absent members are 0.
struct ShownObject {
  std::uint32_t id = 0;
  std::string name;
  std::uint64_t key_bytes = 0;
  std::uint64_t value_bytes = 0;
  std::uint64_t max_entries = 0;
  std::uint64_t flags = 0;
  std::uint64_t run_count = 0;
  std::uint64_t run_time_ns = 0;
  std::uint64_t jited_bytes = 0;
  std::uint64_t recursion_misses = 0;
};

/// Errors of the text fail the running test.
[[nodiscard]] std::vector<ShownObject> parse_show(const std::string& text);

}  // namespace ktstr::truth
