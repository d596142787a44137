#include "tests/truth/bpftool_output.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "engine/base/value.h"

namespace ktstr::truth {
namespace {

constexpr std::string_view kArray = "[\"0x";

/// The array of "0x.." strings at the text's beginning.
Bytes hex_array(std::string_view text) {
  Bytes bytes;
  const auto array = text.substr(0, text.find(']'));
  for (std::size_t at = array.find("0x"); at != std::string_view::npos; at = array.find("0x", at + 2))
    bytes.push_back(
        static_cast<std::byte>(std::strtoul(std::string(array.substr(at, 4)).c_str(), nullptr, 16)));
  return bytes;
}

std::uint64_t number(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  if (!member) return 0;
  if (const auto* value = member->get_if<std::int64_t>()) return static_cast<std::uint64_t>(*value);
  const auto* value = member->get_if<std::uint64_t>();
  return value ? *value : 0;
}

std::string text_of(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  const auto* value = member ? member->get_if<std::string>() : nullptr;
  return value ? *value : std::string();
}

}  // namespace

std::optional<std::vector<DumpedEntry>> parse_map_dump(std::string_view text) {
  if (!text.starts_with("[{\"key\"") && !text.starts_with("[]")) return std::nullopt;
  constexpr std::string_view kKey = "\"key\":", kValue = "\"value\":", kFormatted = "\"formatted\":";
  std::vector<DumpedEntry> entries;
  bool formatted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto rest = text.substr(at);
    if (rest.starts_with(kFormatted)) formatted = true;
    if (rest.starts_with(std::string(kKey) + std::string(kArray))) {
      formatted = false;
      entries.push_back({hex_array(rest.substr(kKey.size())), {}});
    } else if (rest.starts_with(std::string(kValue) + std::string(kArray)) && !formatted &&
               !entries.empty()) {
      entries.back().values.push_back(hex_array(rest.substr(kValue.size())));
    }
  }
  for (auto& entry : entries)
    if (entry.values.empty()) entry.values.emplace_back();
  std::ranges::sort(entries);
  return entries;
}

std::vector<ShownObject> parse_show(const std::string& text) {
  const auto parsed = parse_json(text);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().message));
  const auto* list = parsed->get_if<Value::List>();
  REQUIRE(list != nullptr);
  std::vector<ShownObject> objects;
  for (const Value& object : *list)
    objects.push_back({.id = static_cast<std::uint32_t>(number(object, "id")),
                       .name = text_of(object, "name"),
                       .key_bytes = number(object, "bytes_key"),
                       .value_bytes = number(object, "bytes_value"),
                       .max_entries = number(object, "max_entries"),
                       .flags = number(object, "flags"),
                       .run_count = number(object, "run_cnt"),
                       .run_time_ns = number(object, "run_time_ns"),
                       .jited_bytes = number(object, "bytes_jited"),
                       .recursion_misses = number(object, "recursion_misses")});
  return objects;
}

}  // namespace ktstr::truth
