#include "introspect/ctprof/summaries.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ktstr::introspect::ctprof {
namespace {

constexpr const char* kConfigHint =
    "hint: most read failures are of schedstat and io: the kernel may be built without CONFIG_SCHED_INFO or "
    "CONFIG_TASK_IO_ACCOUNTING";
constexpr const char* kPermissionHint =
    "hint: most read failures are refusals: io and smaps_rollup of others' processes need CAP_SYS_PTRACE "
    "(run as "
    "root, or sudo setcap cap_sys_ptrace,cap_net_admin+eip $(which ktstr))";
constexpr const char* kTaskstatsHint =
    "hint: delays and memory peaks are missing because taskstats was refused: they need CAP_NET_ADMIN";
constexpr const char* kProbeHint =
    "hint: jemalloc's counters are missing where attaching was refused: it needs CAP_SYS_PTRACE (run as "
    "root, or sudo "
    "setcap cap_sys_ptrace+eip $(which ktstr)), or kernel.yama.ptrace_scope=0";

bool needs_config(std::string_view file) {
  return file == "schedstat" || file == "io";
}
bool refused(int error) {
  return error == EACCES || error == EPERM;
}

std::string error_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name ? name : std::to_string(error);
}

bool for_want_of_privilege(ProbeFailure failure) {
  return failure == ProbeFailure::kSeize || failure == ProbeFailure::kInterrupt;
}

}  // namespace

bool dominates(std::uint64_t part, std::uint64_t total) {
  return total > 0 && part >= total - part;
}

void ParseTally::commit() {
  for (const auto& failure : pending_) ++failures_[failure];
  negative_ += pending_negative_;
  discard();
}

void ParseTally::discard() {
  pending_.clear();
  pending_negative_ = 0;
}

void ParseTally::add(const ParseTally& other) {
  walked_ += other.walked_;
  negative_ += other.negative_;
  for (const auto& [failure, count] : other.failures_) failures_[failure] += count;
}

ParseSummary ParseTally::summary() const {
  ParseSummary summary;
  std::uint64_t config = 0, permission = 0;
  for (const auto& [failure, count] : failures_) {
    summary.read_failures += count;
    summary.read_failures_by_file[std::string(failure.file)] += count;
    summary.read_failures_by_error[error_name(failure.error)] += count;
    // A file that is there but forbidden says nothing of the kernel's configuration.
    if (refused(failure.error))
      permission += count;
    else if (needs_config(failure.file))
      config += count;
  }
  summary.tids_walked = walked_;
  summary.dominant_read_failure = dominant(summary.read_failures_by_file);
  summary.kernel_config_dominant = dominates(config, summary.read_failures);
  summary.permission_dominant = dominates(permission, summary.read_failures);
  summary.negative_dotted_values = negative_;
  return summary;
}

std::optional<std::string> dominant(const std::map<std::string, std::uint64_t>& counts) {
  const auto most = std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; });
  return most == counts.end() ? std::nullopt : std::optional(most->first);
}

std::vector<std::string> hints(const std::optional<ParseSummary>& parse,
                               const std::optional<TaskstatsSummary>& taskstats,
                               const std::optional<ProbeSummary>& probe) {
  std::vector<std::string> sentences;
  if (parse && parse->kernel_config_dominant) sentences.emplace_back(kConfigHint);
  if (parse && parse->permission_dominant) sentences.emplace_back(kPermissionHint);
  if (probe && probe->privilege_dominant) sentences.emplace_back(kProbeHint);
  if (!taskstats) return sentences;
  if (taskstats->unavailable)
    sentences.push_back("hint: delays and memory peaks are missing: " + *taskstats->unavailable);
  else if (taskstats->eperm_count > taskstats->ok_count)
    sentences.emplace_back(kTaskstatsHint);
  return sentences;
}

ProbeSummary ProbeTally::summary() const {
  ProbeSummary summary = summary_;
  std::map<std::string, std::uint64_t> actionable;
  std::uint64_t refused = 0;
  for (const auto& [failure, count] : failures_) {
    const std::string name(enum_name(failure));
    summary.outcomes_without_counters[name] = count;
    if (!is_actionable(failure)) continue;
    actionable[name] = count;
    summary.failed += count;
    if (for_want_of_privilege(failure)) refused += count;
  }
  summary.dominant_failure = dominant(actionable);
  summary.privilege_dominant = dominates(refused, summary.failed);
  return summary;
}

}  // namespace ktstr::introspect::ctprof
