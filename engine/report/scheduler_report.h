// SchedulerReport: one scheduler of a run, from its start to its end; SchedulerGap: a time without one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine {

/// Why the kernel let a scheduler go: struct scx_exit_info (kernel/sched/ext.c). The kernel log has reason,
/// message and backtrace only.
struct SchedulerExitReport {
  std::string source;
  std::optional<std::string> kind{};  ///< enum scx_exit_kind, e.g. "SCX_EXIT_ERROR_STALL"
  std::optional<std::int64_t> code{};
  std::optional<std::string> reason{};   ///< e.g. "runnable task stall"
  std::optional<std::string> message{};  ///< e.g. "worker[123] failed to run for 2.6s"
  std::vector<std::string> backtrace;
  std::optional<std::string> dump{};

  static consteval auto describe() {
    using T = SchedulerExitReport;
    return record(
        "why the kernel let a scheduler go", field<&T::source>("\"guest memory\" or \"kernel log\""),
        field<&T::kind>("enum scx_exit_kind by name"), field<&T::code>("the scheduler's own exit code"),
        field<&T::reason>("what kind of end it was, in words"), field<&T::message>("what was wrong"),
        field<&T::backtrace>("kernel functions at the end, innermost first"),
        field<&T::dump>("the kernel's own debug dump"));
  }
};

/// The kernel's watchdog over a scheduler: what was written into guest memory, and what was read there
/// afterwards. In whole ticks of the kernel.
struct WatchdogReport {
  std::uint64_t own_ns = 0;
  std::uint64_t asked_ns = 0;
  std::uint64_t read_back_ns = 0;

  static consteval auto describe() {
    using T = WatchdogReport;
    return record("the kernel's watchdog over a scheduler",
                  field<&T::own_ns>("what the scheduler had asked for, ns"),
                  field<&T::asked_ns>("what the scenario asks for, ns"),
                  field<&T::read_back_ns>("what guest memory held afterwards, ns"));
  }
};

enum class SchedulerFate { kAttached, kDetached, kReplaced, kRestarted, kDied, kRefused };

/// Times are since the machine's start. `problem`: why it died or was refused; complete by itself.
struct SchedulerReport {
  std::string name;
  std::optional<std::string> path{};
  std::optional<std::string> build_id{};
  std::vector<std::string> args;
  std::optional<std::string> ops{};
  SchedulerFate fate = SchedulerFate::kAttached;
  std::uint32_t step = 0;
  std::optional<std::uint64_t> attached_ns{};
  std::optional<std::uint64_t> ended_ns{};
  std::optional<std::uint64_t> load_ns{};
  std::optional<std::uint64_t> load_cpu_ns{};
  std::optional<std::uint64_t> gap_ns{};
  std::optional<WatchdogReport> watchdog{};
  std::optional<std::string> problem{};
  bool expected = false;
  std::optional<SchedulerExitReport> exit_record{};
  std::optional<protocol::ExitInfo> exit{};
  std::vector<std::string> log;
  std::uint64_t log_lines_dropped = 0;
  std::optional<std::string> log_file{};

  static consteval auto describe() {
    using T = SchedulerReport;
    return record(
        "one scheduler of a run", field<&T::name>("its name in the scenario"),
        field<&T::path>("its program on this host; absent for one of the kernel's own"),
        field<&T::build_id>("GNU build id of its program, hexadecimal; absent when it has none"),
        field<&T::args>("its arguments"), field<&T::ops>("the name the kernel knew it by"),
        field<&T::fate>("attached, detached, replaced, restarted, died or refused"),
        field<&T::step>("the step that started it, from 1; 0: before the first step"),
        field<&T::attached_ns>(
            "when the kernel ran it, ns since the machine's start; absent when it never did"),
        field<&T::ended_ns>("when its end was first seen, ns since the machine's start; absent when it was "
                            "attached to the last"),
        field<&T::load_ns>("from its program's start until it was attached, by the guest's clock, ns"),
        field<&T::load_cpu_ns>("CPU time of its program by then, taken from the workload, ns"),
        field<&T::gap_ns>("time without any scheduler of its kind before it, in a replacement, ns"),
        field<&T::watchdog>("the watchdog_timeout that was set; absent when it was left as it was"),
        field<&T::problem>("why it died or was refused"),
        field<&T::expected>("whether expect.scheduler_error allows for the problem"),
        field<&T::exit_record>("why the kernel let it go"), field<&T::exit>("how its program ended"),
        field<&T::log>("the last lines of its output, repeats collapsed"),
        field<&T::log_lines_dropped>("lines of output before those"),
        field<&T::log_file>("the file that all lines are in, the verifier's included; absent when those "
                            "above are all, or it could not be written"));
  }
};

enum class GapCause { kReplaced, kRestarted, kDied, kRefused };

/// From the last look at which the kernel ran `former` to the first at which it ran `next`; tasks run under
/// the kernel's own scheduler meanwhile. It is at most one look too long (some ms), never too short.
struct SchedulerGap {
  GapCause cause = GapCause::kReplaced;
  std::uint32_t step = 0;
  std::string former;
  std::optional<std::string> next{};
  std::uint64_t begin_ns = 0;
  std::uint64_t duration_ns = 0;

  static consteval auto describe() {
    using T = SchedulerGap;
    return record(
        "a time without the scheduler that the scenario wants",
        field<&T::cause>("replaced, restarted, died or refused"),
        field<&T::step>("the step in which it began, from 1; 0: before the first step"),
        field<&T::former>("the scheduler that went"),
        field<&T::next>("the one that came; absent when none came before the run ended"),
        field<&T::begin_ns>("when it began, ns since the machine's start"),
        field<&T::duration_ns>("how long it lasted, by the guest's clock where the guest saw both ends, ns"));
  }
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::SchedulerFate> = enumeration<engine::SchedulerFate>("fate", {
    {"attached", engine::SchedulerFate::kAttached, "it was attached when the run ended"},
    {"detached", engine::SchedulerFate::kDetached, "an op detached it"},
    {"replaced", engine::SchedulerFate::kReplaced, "an op put another in its place"},
    {"restarted", engine::SchedulerFate::kRestarted, "an op ended it to start it again"},
    {"died", engine::SchedulerFate::kDied, "it ended unasked"},
    {"refused", engine::SchedulerFate::kRefused, "it was never attached"}});
// clang-format on
}  // namespace ktstr

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::GapCause> = enumeration<engine::GapCause>("gap cause", {
    {"replaced", engine::GapCause::kReplaced, "an op put another scheduler in its place"},
    {"restarted", engine::GapCause::kRestarted, "an op started it again"},
    {"died", engine::GapCause::kDied, "it ended unasked"},
    {"refused", engine::GapCause::kRefused, "it was detached for one that did not attach"}});
// clang-format on
}  // namespace ktstr
