// What the runner asks of the guest agent about schedulers, and what it answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"

namespace ktstr::engine::protocol {

/// How a process ended.
struct ExitInfo {
  std::string how;                   ///< "exited", "signaled", "timed out" or "wait failed"
  std::optional<std::int32_t> code;  ///< exit code, signal or errno
};

/// A value for a file of /proc or /sys.
struct ControlWrite {
  std::string file;
  std::string value;
};

/// Starts a scheduler and waits until the kernel runs it. Answered by SchedulerChanged.
struct AttachScheduler {
  std::string name;
  std::optional<std::string> program;       ///< absolute path in the guest; absent: one of the kernel's own
  std::vector<std::string> args;            ///< without argv[0]
  std::optional<std::string> library_path;  ///< LD_LIBRARY_PATH
  std::vector<ControlWrite> before;         ///< written before it starts, in order
  std::vector<ControlWrite> enable;         ///< turn a scheduler of the kernel's own on
  std::vector<ControlWrite> disable;        ///< turn it off again
  bool preloaded = false;  ///< in a replacement: it is held at its attach until the former one is gone
  Duration timeout = std::chrono::seconds(120);  ///< loading takes long on a busy emulated guest
};
/// Ends the scheduler: SIGTERM, SIGKILL after `timeout`. Waits until the kernel has let it go. Answered by
/// SchedulerChanged.
struct DetachScheduler {
  Duration timeout = std::chrono::seconds(10);
};
/// Detaches what is attached, then attaches `next`. Answered by SchedulerChanged: when `next` does not load,
/// the former one is gone all the same, unless `next` is preloaded.
struct ReplaceScheduler {
  AttachScheduler next;
};
/// Replaces the last attached scheduler by itself, be it alive or dead.
struct RestartScheduler {};
/// Asks how the attached scheduler fares. Answered by SchedulerChanged.
struct QueryScheduler {
  Duration patience;  ///< its end was seen from outside: how long to wait until it shows inside
};

/// One scheduler from its start: what it is, or how it ended.
struct SchedulerStatus {
  std::string name;
  bool attached = false;             ///< the kernel runs it now
  std::optional<std::string> state;  ///< /sys/kernel/sched_ext/state
  std::optional<std::string> ops;    ///< the name the kernel knows it by, while or when last attached
  std::optional<std::int32_t> pid;
  std::optional<ExitInfo> exit;         ///< absent while its program runs
  std::vector<std::string> log;         ///< its standard output and error: the last lines, repeats collapsed
  std::uint64_t log_lines_dropped = 0;  ///< lines before those
  std::vector<std::string> kernel_log;  ///< what the kernel said of sched_ext since it was started
  bool kernel_error = false;            ///< the kernel ended it for an error
  std::optional<std::string> death;     ///< how it ended unasked: "its program ended (exited 1)"
  std::optional<std::uint64_t> attached_ns;  ///< first look at which the kernel ran it
  std::optional<std::uint64_t> gone_ns;      ///< last look at which it still did, once it does not
  std::optional<std::uint64_t> load_ns;      ///< from its start until it was attached
  std::optional<std::uint64_t> load_cpu_ns;  ///< CPU time of its program by then
};

/// What came of a request. `problem`: why the scheduler that was asked for is not attached (any more).
/// `former`: the one that a request ended. `gap_ns`: the time in which the kernel had neither, in a
/// replacement; at most one look too long, never too short. `answered_ns`: the time of the answer, to which
/// the moments of both schedulers relate. All moments are of the guest's CLOCK_MONOTONIC.
struct SchedulerChanged {
  std::optional<std::string> problem;
  std::optional<SchedulerStatus> former;
  std::optional<SchedulerStatus> current;
  std::optional<std::uint64_t> gap_ns;
  std::uint64_t answered_ns = 0;
};

}  // namespace ktstr::engine::protocol

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::protocol::ExitInfo> = record<engine::protocol::ExitInfo>("ExitInfo", "how a process ended",
    field("how", &engine::protocol::ExitInfo::how, "\"exited\", \"signaled\", \"timed out\" (killed by the agent) or \"wait failed\""),
    field("code", &engine::protocol::ExitInfo::code, "exit code, signal number or errno"));
template <> inline constexpr auto describe<engine::protocol::ControlWrite> = record<engine::protocol::ControlWrite>("control_write", "a value for a control file",
    field("file", &engine::protocol::ControlWrite::file, "absolute path"),
    field("value", &engine::protocol::ControlWrite::value, "what is written"));
template <> inline constexpr auto describe<engine::protocol::AttachScheduler> = record<engine::protocol::AttachScheduler>("attach_scheduler", "starts a scheduler and waits until the kernel runs it",
    field("name", &engine::protocol::AttachScheduler::name, "its name"),
    field("program", &engine::protocol::AttachScheduler::program, "absolute path in the guest; absent: one of the kernel's own"),
    field("args", &engine::protocol::AttachScheduler::args, "arguments, without argv[0]"),
    field("library_path", &engine::protocol::AttachScheduler::library_path, "LD_LIBRARY_PATH"),
    field("before", &engine::protocol::AttachScheduler::before, "written before it starts"),
    field("enable", &engine::protocol::AttachScheduler::enable, "turn a scheduler of the kernel's own on"),
    field("disable", &engine::protocol::AttachScheduler::disable, "turn it off again"),
    field("preloaded", &engine::protocol::AttachScheduler::preloaded, "held at its attach until the former one is gone"),
    field("timeout", &engine::protocol::AttachScheduler::timeout, "until the kernel runs it"));
template <> inline constexpr auto describe<engine::protocol::DetachScheduler> = record<engine::protocol::DetachScheduler>("detach_scheduler", "ends the attached scheduler",
    field("timeout", &engine::protocol::DetachScheduler::timeout, "from SIGTERM to SIGKILL"));
template <> inline constexpr auto describe<engine::protocol::ReplaceScheduler> = record<engine::protocol::ReplaceScheduler>("replace_scheduler", "ends the attached scheduler and starts another",
    field("next", &engine::protocol::ReplaceScheduler::next, "the other"));
template <> inline constexpr auto describe<engine::protocol::RestartScheduler> = record<engine::protocol::RestartScheduler>("restart_scheduler", "ends the last attached scheduler and starts it again");
template <> inline constexpr auto describe<engine::protocol::QueryScheduler> = record<engine::protocol::QueryScheduler>("query_scheduler", "asks how the attached scheduler fares",
    field("patience", &engine::protocol::QueryScheduler::patience, "how long to wait until an end that was seen from outside shows inside"));
template <> inline constexpr auto describe<engine::protocol::SchedulerStatus> = record<engine::protocol::SchedulerStatus>("scheduler_status", "one scheduler from its start",
    field("name", &engine::protocol::SchedulerStatus::name, "its name"),
    field("attached", &engine::protocol::SchedulerStatus::attached, "whether the kernel runs it now"),
    field("state", &engine::protocol::SchedulerStatus::state, "/sys/kernel/sched_ext/state"),
    field("ops", &engine::protocol::SchedulerStatus::ops, "the name the kernel knows it by"),
    field("pid", &engine::protocol::SchedulerStatus::pid, "its process"),
    field("exit", &engine::protocol::SchedulerStatus::exit, "how its program ended; absent while it runs"),
    field("log", &engine::protocol::SchedulerStatus::log, "the last lines of its output, repeats collapsed"),
    field("log_lines_dropped", &engine::protocol::SchedulerStatus::log_lines_dropped, "lines before those"),
    field("kernel_log", &engine::protocol::SchedulerStatus::kernel_log, "what the kernel said of sched_ext since its start"),
    field("kernel_error", &engine::protocol::SchedulerStatus::kernel_error, "whether the kernel ended it for an error"),
    field("death", &engine::protocol::SchedulerStatus::death, "how it ended unasked"),
    field("attached_ns", &engine::protocol::SchedulerStatus::attached_ns, "CLOCK_MONOTONIC at the first look at which the kernel ran it, ns"),
    field("gone_ns", &engine::protocol::SchedulerStatus::gone_ns, "CLOCK_MONOTONIC at the last look at which it still did, ns; absent while it does"),
    field("load_ns", &engine::protocol::SchedulerStatus::load_ns, "from its start until it was attached, ns"),
    field("load_cpu_ns", &engine::protocol::SchedulerStatus::load_cpu_ns, "CPU time of its program by then, ns"));
template <> inline constexpr auto describe<engine::protocol::SchedulerChanged> = record<engine::protocol::SchedulerChanged>("scheduler_changed", "what came of a request about schedulers",
    field("problem", &engine::protocol::SchedulerChanged::problem, "why the scheduler that was asked for is not attached"),
    field("former", &engine::protocol::SchedulerChanged::former, "the one that the request ended"),
    field("current", &engine::protocol::SchedulerChanged::current, "the one that was asked for"),
    field("gap_ns", &engine::protocol::SchedulerChanged::gap_ns, "time in which the kernel had neither, ns"),
    field("answered_ns", &engine::protocol::SchedulerChanged::answered_ns, "CLOCK_MONOTONIC when answered, ns"));
// clang-format on
}  // namespace ktstr
