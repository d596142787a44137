// Groups of two captures that are the same under another name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktstr::introspect::ctprof {

struct Rename {
  std::string before;
  std::string after;
  double score = 0;  ///< how alike the names are: 0 to 1

  friend bool operator==(const Rename&, const Rename&) = default;
};

/// Twice the number of characters that both names have in the same order, of the characters of both.
[[nodiscard]] double similarity(std::string_view a, std::string_view b);

/// Pairs names that only one capture has, the most alike first, each once, down to a similarity of 0.6. At
/// most 1000 names of each side are looked at.
[[nodiscard]] std::vector<Rename> find_renames(const std::vector<std::string>& only_before,
                                               const std::vector<std::string>& only_after);

}  // namespace ktstr::introspect::ctprof
