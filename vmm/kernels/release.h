// Order and naming of kernel releases ("7.3.4+deb13-cloud-amd64").
#pragma once

#include <compare>
#include <string_view>

namespace ktstr::vmm {

/// Older < newer: numbers as numbers, text as text, and a release candidate ("-rc2", "~rc2") before its
/// release.
[[nodiscard]] std::weak_ordering compare_releases(std::string_view a, std::string_view b);

/// Whether `spec` names `release`: all of it, or its beginning up to a number's or word's end ("7.3"
/// names 7.3.4, not 7.30.1).
[[nodiscard]] bool names_release(std::string_view spec, std::string_view release);

/// The series: the first two numbers ("7.3"); the whole text when there are no two.
[[nodiscard]] std::string_view series_of(std::string_view release);

}  // namespace ktstr::vmm
