// SchedulerReport: one scheduler of a run, from its start to its end.
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
  std::string source;                    ///< "guest memory" or "kernel log"
  std::optional<std::string> kind{};     ///< enum scx_exit_kind, e.g. "SCX_EXIT_ERROR_STALL"
  std::optional<std::int64_t> code{};    ///< the scheduler's own exit code
  std::optional<std::string> reason{};   ///< e.g. "runnable task stall"
  std::optional<std::string> message{};  ///< e.g. "worker[123] failed to run for 2.6s"
  std::vector<std::string> backtrace;    ///< innermost first
  std::optional<std::string> dump{};     ///< the kernel's own debug dump
};

/// The kernel's watchdog over a scheduler: what was written into guest memory, and what was read there
/// afterwards. In whole ticks of the kernel.
struct WatchdogReport {
  std::uint64_t own_ns = 0;    ///< what the scheduler had asked for
  std::uint64_t asked_ns = 0;  ///< what the scenario asks for
  std::uint64_t read_back_ns = 0;
};

enum class SchedulerFate { kAttached, kDetached, kReplaced, kRestarted, kDied, kRefused };

/// Times are since the machine's start. `problem`: why it died or was refused; complete by itself.
struct SchedulerReport {
  std::string name;
  std::optional<std::string> path{};      ///< its program on this host; absent for one of the kernel's own
  std::optional<std::string> build_id{};  ///< of the program
  std::vector<std::string> args;
  std::optional<std::string> ops{};
  SchedulerFate fate = SchedulerFate::kAttached;
  std::uint32_t step = 0;  ///< in which it was started, from 1; 0: before the first
  std::optional<std::uint64_t> attached_ns{};
  std::optional<std::uint64_t> ended_ns{};     ///< the first look that saw its end
  std::optional<std::uint64_t> load_ns{};      ///< from its start until it was attached
  std::optional<std::uint64_t> load_cpu_ns{};  ///< CPU time of its program by then
  std::optional<std::uint64_t> gap_ns{};  ///< before it was attached: the time without any, in a replacement
  std::optional<WatchdogReport> watchdog{};  ///< absent when it was left as it was
  std::optional<std::string> problem{};
  bool expected = false;  ///< expect.scheduler_error allows for the problem
  std::optional<SchedulerExitReport> exit_record{};
  std::optional<protocol::ExitInfo> exit{};  ///< its program's
  std::vector<std::string> log;
  std::uint64_t log_lines_dropped = 0;
  std::optional<std::string> log_file{};  ///< with all lines; only of one that was not attached
};

/// The record that the kernel's messages ("sched_ext: ...") make; nothing when they tell of no end.
[[nodiscard]] std::optional<SchedulerExitReport> exit_from_kernel_log(const std::vector<std::string>& lines);

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
template <> inline constexpr auto describe<engine::SchedulerExitReport> = record<engine::SchedulerExitReport>("SchedulerExitReport", "why the kernel let a scheduler go",
    field("source", &engine::SchedulerExitReport::source, "\"guest memory\" or \"kernel log\""),
    field("kind", &engine::SchedulerExitReport::kind, "enum scx_exit_kind by name"),
    field("code", &engine::SchedulerExitReport::code, "the scheduler's own exit code"),
    field("reason", &engine::SchedulerExitReport::reason, "what kind of end it was, in words"),
    field("message", &engine::SchedulerExitReport::message, "what was wrong"),
    field("backtrace", &engine::SchedulerExitReport::backtrace, "kernel functions at the end, innermost first"),
    field("dump", &engine::SchedulerExitReport::dump, "the kernel's own debug dump"));
template <> inline constexpr auto describe<engine::WatchdogReport> = record<engine::WatchdogReport>("WatchdogReport", "the kernel's watchdog over a scheduler",
    field("own_ns", &engine::WatchdogReport::own_ns, "what the scheduler had asked for, ns"),
    field("asked_ns", &engine::WatchdogReport::asked_ns, "what the scenario asks for, ns"),
    field("read_back_ns", &engine::WatchdogReport::read_back_ns, "what guest memory held afterwards, ns"));
template <> inline constexpr auto describe<engine::SchedulerReport> = record<engine::SchedulerReport>("SchedulerReport", "one scheduler of a run",
    field("name", &engine::SchedulerReport::name, "its name in the scenario"),
    field("path", &engine::SchedulerReport::path, "its program on this host; absent for one of the kernel's own"),
    field("build_id", &engine::SchedulerReport::build_id, "GNU build id of its program, hexadecimal; absent when it has none"),
    field("args", &engine::SchedulerReport::args, "its arguments"),
    field("ops", &engine::SchedulerReport::ops, "the name the kernel knew it by"),
    field("fate", &engine::SchedulerReport::fate, "attached, detached, replaced, restarted, died or refused"),
    field("step", &engine::SchedulerReport::step, "the step that started it, from 1; 0: before the first step"),
    field("attached_ns", &engine::SchedulerReport::attached_ns, "when the kernel ran it, ns since the machine's start; absent when it never did"),
    field("ended_ns", &engine::SchedulerReport::ended_ns, "when its end was first seen, ns since the machine's start; absent when it was attached to the last"),
    field("load_ns", &engine::SchedulerReport::load_ns, "from its program's start until it was attached, by the guest's clock, ns"),
    field("load_cpu_ns", &engine::SchedulerReport::load_cpu_ns, "CPU time of its program by then, taken from the workload, ns"),
    field("gap_ns", &engine::SchedulerReport::gap_ns, "time without any scheduler of its kind before it, in a replacement, ns"),
    field("watchdog", &engine::SchedulerReport::watchdog, "the watchdog_timeout that was set; absent when it was left as it was"),
    field("problem", &engine::SchedulerReport::problem, "why it died or was refused"),
    field("expected", &engine::SchedulerReport::expected, "whether expect.scheduler_error allows for the problem"),
    field("exit_record", &engine::SchedulerReport::exit_record, "why the kernel let it go"),
    field("exit", &engine::SchedulerReport::exit, "how its program ended"),
    field("log", &engine::SchedulerReport::log, "the last lines of its output, repeats collapsed"),
    field("log_lines_dropped", &engine::SchedulerReport::log_lines_dropped, "lines of output before those"),
    field("log_file", &engine::SchedulerReport::log_file, "the file that all lines are in, the verifier's included; absent when those above are all, or it could not be written"));
// clang-format on
}  // namespace ktstr
