// Groups of two captures that are the same under another name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect::ctprof {

struct Rename {
  std::string before;
  std::string after;
  double score = 0;

  friend bool operator==(const Rename&, const Rename&) = default;

  static consteval auto describe() {
    using T = Rename;
    return record("a group that has another name in the second capture",
                  field<&T::before>("its name in the first"), field<&T::after>("in the second"),
                  field<&T::score>("how alike the names are, 0 to 1"));
  }
};

/// Twice the number of characters that both names have in the same order, of the characters of both.
[[nodiscard]] double similarity(std::string_view a, std::string_view b);

/// The share of the longer name's letters that are in whole words with which both begin or end: 8/11 of
/// "postgres-old" and "postgres-new", nothing of "bash" and "dash". Digits do not count, they come and go.
[[nodiscard]] double common_words(std::string_view a, std::string_view b);

/// Pairs names that only one capture has and that are variants of one name: a similarity and a share of
/// common words of 0.6, with four letters in them. A name that has several such partners is left alone: to
/// compare two programs as one shows false numbers, to list both as gone and new does not. At most 1000 names
/// of each side are looked at.
[[nodiscard]] std::vector<Rename> find_renames(const std::vector<std::string>& only_before,
                                               const std::vector<std::string>& only_after);

}  // namespace ktstr::introspect::ctprof
