// A thread of known behaviour, captured before and after: the same on this host and in a guest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "introspect/ctprof/capture.h"

namespace ktstr::introspect::ctprof::subject {

inline constexpr std::string_view kSubjectName = "ctprof-subject";
inline constexpr int kSubjectNice = 5;
/// What it writes into a file, and reads from it again.
inline constexpr std::size_t kFileCalls = 16, kFileBytes = kFileCalls * 65536;

/// What a metric must have done between the two captures: grown by that much, or, for peaks, be that much at
/// the end.
struct Expected {
  std::string_view metric;
  std::uint64_t least;
  std::uint64_t most = UINT64_MAX;
};
[[nodiscard]] const std::vector<Expected>& expected_of_subject();

/// Captures this process, lets a thread called kSubjectName spin, fault, read, write, sleep, fork, wait for a
/// child, contend for a CPU, migrate where there are two CPUs, and change its policy, nice value and
/// affinity, and captures again while it still lives.
[[nodiscard]] Result<std::pair<Snapshot, Snapshot>> capture_around_subject();

/// The only thread of that name. Precondition: there is one.
[[nodiscard]] const ThreadRecord& subject_of(const Snapshot& snapshot);

/// A number of a record, by the metric's name; nullopt when it is absent, or no number.
[[nodiscard]] std::optional<std::uint64_t> number_of(const ThreadRecord& record, std::string_view metric);

/// What moved otherwise than it should, a line each. Metrics that neither capture has are put into `absent`.
[[nodiscard]] std::vector<std::string> deviations(const ThreadRecord& before, const ThreadRecord& after,
                                                  std::vector<std::string>& absent);

}  // namespace ktstr::introspect::ctprof::subject
