// What a capture could not read, and what may be done about it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/ctprof/probe_summary.h"

namespace ktstr::introspect::ctprof {

/// Files of tasks that could not be read. Threads that were gone before anything of theirs was read count as
/// walked and nowhere else.
struct ParseSummary {
  std::uint64_t tids_walked = 0;
  std::uint64_t read_failures = 0;
  std::map<std::string, std::uint64_t> read_failures_by_file;
  std::map<std::string, std::uint64_t> read_failures_by_error;
  std::optional<std::string> dominant_read_failure;
  bool kernel_config_dominant = false;
  bool permission_dominant = false;
  std::uint64_t negative_dotted_values = 0;

  friend bool operator==(const ParseSummary&, const ParseSummary&) = default;

  static consteval auto describe() {
    using T = ParseSummary;
    return record(
        "files of tasks that could not be read",
        field<&T::tids_walked>("threads that were looked at, those just gone included"),
        field<&T::read_failures>("files that could not be read"),
        field<&T::read_failures_by_file>("the same by the file's name"),
        field<&T::read_failures_by_error>("the same by errno's name"),
        field<&T::dominant_read_failure>("the file that failed most often"),
        field<&T::kernel_config_dominant>(
            "half of the failures or more are files that the kernel was built without"),
        field<&T::permission_dominant>("half of the failures or more are due to missing privileges"),
        field<&T::negative_dotted_values>(
            "times that read as negative, which a clock that was set back leaves; they are null"));
  }
};

/// How questions about threads over generic netlink were answered.
struct TaskstatsSummary {
  std::uint64_t ok_count = 0;
  std::uint64_t eperm_count = 0;
  std::uint64_t esrch_count = 0;
  std::uint64_t other_count = 0;
  std::optional<std::string> unavailable;

  friend bool operator==(const TaskstatsSummary&, const TaskstatsSummary&) = default;

  static consteval auto describe() {
    using T = TaskstatsSummary;
    return record(
        "answers about threads over generic netlink", field<&T::ok_count>("threads that were answered for"),
        field<&T::eperm_count>("refused: CAP_NET_ADMIN is missing"),
        field<&T::esrch_count>("gone before the question came"), field<&T::other_count>("failed otherwise"),
        field<&T::unavailable>("why nothing could be asked at all"));
  }
};

/// Counts failures of one thread's files apart until it is known whether the thread was there at all.
class ParseTally {
 public:
  void walked() { ++walked_; }
  /// `file` must outlive the tally.
  void failed(std::string_view file, int error) { pending_.push_back({file, error}); }
  void negative(std::uint64_t count) { pending_negative_ += count; }
  /// The thread is in the capture: what failed counts.
  void commit();
  /// It is not: nothing does.
  void discard();

  /// Adds another worker's counts; nothing may be pending.
  void add(const ParseTally& other);
  [[nodiscard]] ParseSummary summary() const;

 private:
  struct Failure {
    std::string_view file;
    int error;
    friend auto operator<=>(const Failure&, const Failure&) = default;
  };

  std::uint64_t walked_ = 0;
  std::map<Failure, std::uint64_t> failures_;
  std::uint64_t negative_ = 0;
  std::vector<Failure> pending_;
  std::uint64_t pending_negative_ = 0;
};

/// The name with the greatest count; of several, the first in the alphabet.
[[nodiscard]] std::optional<std::string> dominant(const std::map<std::string, std::uint64_t>& counts);

/// Whether the part is half of the total or more; of nothing it is not.
[[nodiscard]] bool dominates(std::uint64_t part, std::uint64_t total);

/// What to do about missing values, a sentence each; empty when nothing stands out.
[[nodiscard]] std::vector<std::string> hints(const std::optional<ParseSummary>& parse,
                                             const std::optional<TaskstatsSummary>& taskstats,
                                             const std::optional<ProbeSummary>& probe);

}  // namespace ktstr::introspect::ctprof
