// Why a scheduler ended or was never loaded, found in the kernel's log and in what its program printed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/report/scheduler_report.h"

namespace ktstr::engine {

/// What libbpf (tools/lib/bpf/libbpf.c) printed of a BPF program that the verifier refused.
struct VerifierRefusal {
  std::string program;                   ///< its name
  std::optional<std::string> error{};    ///< "EACCES"
  std::optional<std::string> source{};   ///< "main.bpf.c:12", the last line that the verifier looked at
  std::optional<std::string> message{};  ///< the verifier's last word
};

/// The last refusal in these lines of output, of whose verifier log the beginning may be missing.
[[nodiscard]] std::optional<VerifierRefusal> verifier_refusal(const std::vector<std::string>& output);

/// "the verifier refused its program big_enqueue (E2BIG) at big.bpf.c:9: BPF program is too large"; without a
/// refusal, the last line in which libbpf says what it failed at, in quotes; nothing when it said nothing.
[[nodiscard]] std::optional<std::string> load_failure(const std::vector<std::string>& output);

/// The record that the kernel's messages ("sched_ext: ...") make; nothing when they report no end.
[[nodiscard]] std::optional<SchedulerExitReport> exit_from_kernel_log(const std::vector<std::string>& lines);

}  // namespace ktstr::engine
