// Reading a JSON file of ktstr's own, whichever version of ktstr wrote it.
#pragma once

#include "engine/base/format_version.h"
#include "engine/base/read.h"

namespace ktstr {

/// The version in the member called `member`, a string; `if_absent` when there is none. Errors: kCorrupt.
[[nodiscard]] Result<FormatVersion> format_of(const Value& tree, std::string_view member,
                                              FormatVersion if_absent);

/// What was left out of a file of a newer version, in a line; empty when nothing was.
[[nodiscard]] std::string left_out_text(const UnknownMembers& unknown, FormatVersion found,
                                        FormatVersion known);

/// Reads a file of version `found` by a reader that knows `known`, and gives left_out_text(). Members that a
/// newer minor version added are left out; those that an older one lacks keep their defaults. Errors: those
/// of check_format(); kCorrupt, with the place.
template <class T>
[[nodiscard]] Result<std::string> read_format(const Value& tree, T& out, FormatVersion found,
                                              FormatVersion known) {
  KTSTR_TRY(check_format(found, known));
  UnknownMembers unknown;
  const bool newer = found > known;
  const auto missing = found < known ? MissingMembers::kKeepDefault : MissingMembers::kError;
  if (auto error = read(tree, out, newer ? ReadPlace::leaving_out(unknown) : ReadPlace(), missing))
    return corrupted(error->text() + (newer ? "; " + newer_format_text(found, known) : std::string()));
  return left_out_text(unknown, found, known);
}

}  // namespace ktstr
