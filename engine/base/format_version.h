// Versions of the files that ktstr writes, and what a reader does with a file that another ktstr wrote.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr {

/// "MAJOR.MINOR". A new minor version only adds members, which are optional; anything else is a new major
/// one.
struct FormatVersion {
  std::uint32_t major = 1;
  std::uint32_t minor = 0;

  /// Errors (kCorrupt): not two decimal numbers with a dot between them.
  [[nodiscard]] static Result<FormatVersion> parse(std::string_view text);
  /// Of a binary header's 32 bits: the major version in the lower half, the minor one in the upper half.
  [[nodiscard]] static constexpr FormatVersion from_word(std::uint32_t word) {
    return {word & 0xffff, word >> 16};
  }
  [[nodiscard]] constexpr std::uint32_t to_word() const { return minor << 16 | major; }
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const FormatVersion&, const FormatVersion&) = default;
};

/// Whether a reader that knows `known` can read a file of version `found`. Errors (kUnavailable), each with
/// what to do: another major version, newer or older.
[[nodiscard]] Status check_format(FormatVersion found, FormatVersion known);

/// "written by a newer ktstr (format 1.3; this one reads 1.2)".
[[nodiscard]] std::string newer_format_text(FormatVersion found, FormatVersion known);

}  // namespace ktstr
