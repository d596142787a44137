#include "engine/base/format_version.h"

#include <fmt/format.h>

#include <charconv>

namespace ktstr {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<FormatVersion> FormatVersion::parse(std::string_view text) {
  const auto dot = text.find('.');
  const auto major_number = number(text.substr(0, dot));
  const auto minor_number = dot == text.npos ? std::nullopt : number(text.substr(dot + 1));
  if (!major_number || !minor_number)
    return corrupted("expected a format version such as \"1.0\", got \"" + std::string(text) + "\"");
  return FormatVersion{*major_number, *minor_number};
}

std::string FormatVersion::to_string() const {
  return fmt::format("{}.{}", major, minor);
}

Status check_format(FormatVersion found, FormatVersion known) {
  if (found.major == known.major) return ok();
  const bool newer = found.major > known.major;
  return Error{ErrorCode::kUnavailable,
               std::string(newer ? "written by a newer ktstr" : "written by an older ktstr") + " (format " +
                   found.to_string() + "; this one reads " + std::to_string(known.major) +
                   ".x): use a ktstr " + (newer ? "of that version or newer" : "that reads that format")};
}

std::string newer_format_text(FormatVersion found, FormatVersion known) {
  return "written by a newer ktstr (format " + found.to_string() + "; this one reads " + known.to_string() +
         ")";
}

}  // namespace ktstr
