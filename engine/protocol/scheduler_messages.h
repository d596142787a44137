// What the runner asks of the guest agent about schedulers, and what it answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"

namespace ktstr::engine::protocol {

struct SchedulerChanged;

/// How a process ended.
struct ExitInfo {
  std::string how;
  std::optional<std::int32_t> code;

  static consteval auto describe() {
    using T = ExitInfo;
    return record(
        "how a process ended",
        field<&T::how>("\"exited\", \"signaled\", \"timed out\" (killed by the agent) or \"wait failed\""),
        field<&T::code>("exit code, signal number or errno"));
  }
};

/// "exited 1", "killed by SIGSEGV", "killed by the agent after its time was over", "could not be waited for
/// (ECHILD)"; what is none of these as it is.
[[nodiscard]] std::string exit_text(const ExitInfo& exit);

/// A value for a file of /proc or /sys.
struct ControlWrite {
  std::string file;
  std::string value;

  static consteval auto describe() {
    using T = ControlWrite;
    return record("control_write", "a value for a control file", field<&T::file>("absolute path"),
                  field<&T::value>("what is written"));
  }
};

struct AttachScheduler {
  using Answer = SchedulerChanged;

  std::string name;
  std::optional<std::string> program;
  std::vector<std::string> args;
  std::optional<std::string> library_path;
  std::vector<ControlWrite> before;
  std::vector<ControlWrite> enable;
  std::vector<ControlWrite> disable;
  bool preloaded = false;
  Duration timeout = std::chrono::seconds(120);  ///< loading takes long on a busy emulated guest

  static consteval auto describe() {
    using T = AttachScheduler;
    return record("attach_scheduler", "starts a scheduler and waits until the kernel runs it",
                  field<&T::name>("its name"),
                  field<&T::program>("absolute path in the guest; absent: one of the kernel's own"),
                  field<&T::args>("arguments, without argv[0]"), field<&T::library_path>("LD_LIBRARY_PATH"),
                  field<&T::before>("written before it starts"),
                  field<&T::enable>("turn a scheduler of the kernel's own on"),
                  field<&T::disable>("turn it off again"),
                  field<&T::preloaded>("held at its attach until the former one is gone"),
                  field<&T::timeout>("until the kernel runs it"));
  }
};
/// Ends the scheduler: SIGTERM, SIGKILL after `timeout`. Waits until the kernel has let it go.
struct DetachScheduler {
  using Answer = SchedulerChanged;

  Duration timeout = std::chrono::seconds(10);

  static consteval auto describe() {
    return record("detach_scheduler", "ends the attached scheduler",
                  field<&DetachScheduler::timeout>("from SIGTERM to SIGKILL"));
  }
};
/// Detaches what is attached, then attaches `next`. When `next` does not load,
/// the former one is gone all the same, unless `next` is preloaded.
struct ReplaceScheduler {
  using Answer = SchedulerChanged;

  AttachScheduler next;

  static consteval auto describe() {
    return record("replace_scheduler", "ends the attached scheduler and starts another",
                  field<&ReplaceScheduler::next>("the other"));
  }
};
/// Replaces the last attached scheduler by itself, be it alive or dead.
struct RestartScheduler {
  using Answer = SchedulerChanged;

  static consteval auto describe() {
    return record<RestartScheduler>("restart_scheduler",
                                    "ends the last attached scheduler and starts it again");
  }
};
struct QueryScheduler {
  using Answer = SchedulerChanged;

  Duration patience;

  static consteval auto describe() {
    return record("query_scheduler", "asks how the attached scheduler fares",
                  field<&QueryScheduler::patience>(
                      "how long to wait until an end that was seen from outside shows inside"));
  }
};

/// Where the agent keeps what a scheduler's program prints, for the runner to read when it can't be attached:
/// a file of the guest, that of the last program; made anew by each. Only in guests: on a bare host there is
/// none.
inline constexpr const char* kStartOutputFile = "/tmp/scheduler-output";
/// Its end is left out beyond this. libbpf gives the verifier's log as much room as it takes: 48 MB for a
/// loop of 8 192 turns at log level 2.
inline constexpr std::uint64_t kMostStartOutput = 128U << 20;
/// The last line, in place of what is left out.
inline constexpr std::string_view kStartOutputCut = "... (the rest was left out)\n";
/// What the agent leaves free of the guest's memory, where the file lies too.
inline constexpr std::uint64_t kLeftBesideStartOutput = 64U << 20;

/// One scheduler from its start: what it is, or how it ended.
struct SchedulerStatus {
  std::string name;
  bool attached = false;
  std::optional<std::string> state;
  std::optional<std::string> ops;  ///< while or when last attached
  std::optional<std::int32_t> pid;
  std::optional<ExitInfo> exit;
  std::vector<std::string> log;
  std::uint64_t log_lines_dropped = 0;
  std::vector<std::string> kernel_log;
  bool kernel_error = false;
  std::optional<std::string> death;  ///< how it ended unasked: "its program ended (exited 1)"
  std::optional<std::uint64_t> attached_ns;
  std::optional<std::uint64_t> gone_ns;
  std::optional<std::uint64_t> load_ns;
  std::optional<std::uint64_t> load_cpu_ns;

  static consteval auto describe() {
    using T = SchedulerStatus;
    return record("scheduler_status", "one scheduler from its start", field<&T::name>("its name"),
                  field<&T::attached>("whether the kernel runs it now"),
                  field<&T::state>("/sys/kernel/sched_ext/state"),
                  field<&T::ops>("the name the kernel knows it by"), field<&T::pid>("its process"),
                  field<&T::exit>("how its program ended; absent while it runs"),
                  field<&T::log>("the last lines of its output, repeats collapsed"),
                  field<&T::log_lines_dropped>("lines before those"),
                  field<&T::kernel_log>("what the kernel said of sched_ext since its start"),
                  field<&T::kernel_error>("whether the kernel ended it for an error"),
                  field<&T::death>("how it ended unasked"),
                  field<&T::attached_ns>("CLOCK_MONOTONIC at the first look at which the kernel ran it, ns"),
                  field<&T::gone_ns>(
                      "CLOCK_MONOTONIC at the last look at which it still did, ns; absent while it does"),
                  field<&T::load_ns>("from its start until it was attached, ns"),
                  field<&T::load_cpu_ns>("CPU time of its program by then, ns"));
  }
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

  static consteval auto describe() {
    using T = SchedulerChanged;
    return record("scheduler_changed", "what came of a request about schedulers",
                  field<&T::problem>("why the scheduler that was asked for is not attached"),
                  field<&T::former>("the one that the request ended"),
                  field<&T::current>("the one that was asked for"),
                  field<&T::gap_ns>("time in which the kernel had neither, ns"),
                  field<&T::answered_ns>("CLOCK_MONOTONIC when answered, ns"));
  }
};

}  // namespace ktstr::engine::protocol
