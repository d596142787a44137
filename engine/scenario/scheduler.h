// SchedulerDef: a scheduler as a scenario names it, and what comes with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/read.h"
#include "engine/scenario/topology.h"
#include "engine/verdict/expectations.h"

namespace ktstr::engine {

/// A switch of a scheduler: the arguments that turn it on, and the flags it makes no sense without.
struct SchedulerFlag {
  std::vector<std::string> args;
  std::vector<std::string> needs;

  static consteval auto describe() {
    using T = SchedulerFlag;
    return record("scheduler flag", "a switch of a scheduler",
                  field<&T::args>("the arguments that turn it on"),
                  field<&T::needs>("requires", "flags that must be active with it"));
  }
};

/// How a scheduler takes over from another.
enum class Handover {
  kCold,       ///< the former one is detached first, then its program is started
  kPreloaded,  ///< its program is started first, and held at its attach until the former one is gone
};

/// A program that attaches a sched_ext scheduler, or a scheduler of the kernel's own that is turned on by
/// writing to control files. After checking (load.h): `name` is not empty; `path` is the program's absolute
/// path on this host, or absent for one of the kernel's own, which has `enable` commands then; every active
/// flag exists and has what it needs; `files` leads from names in the guest to absolute paths on this host;
/// the scenario's topology is within the bounds.
struct SchedulerDef {
  std::string name;
  std::optional<std::string> path;
  std::vector<std::string> args;
  std::map<std::string, SchedulerFlag> flags;
  std::vector<std::string> active;
  std::optional<std::string> config;
  std::map<std::string, std::string> sysctls;
  std::vector<std::string> kernel_args;
  std::vector<std::string> enable;
  std::vector<std::string> disable;
  Handover handover = Handover::kCold;
  std::optional<Duration> watchdog_timeout;
  std::map<std::string, std::string> files;
  std::optional<vmm::Topology> topology;
  std::optional<std::uint32_t> min_cpus, max_cpus, min_llcs, max_llcs, min_nodes, max_nodes;
  Expectations expect;

  static consteval auto describe() {
    using T = SchedulerDef;
    return record(
        "scheduler", "a sched_ext scheduler's program, or a scheduler of the kernel's own",
        field<&T::name>("name in reports, by which ops can refer to it; the program's when absent"),
        field<&T::path>("the program: a path (relative to the scenario's folder), or a name that is looked "
                        "for beside the scenario, beside ktstr and on PATH; `name` when absent"),
        field<&T::args>("its arguments; \"{config}\" stands for the configuration file's path in the guest"),
        field<&T::flags>("its switches, by name"), field<&T::active>("the flags that are on, in order"),
        field<&T::files>("further files that it reads, by their names in the guest: those without a leading "
                         "/ lie beside its program, which is its working directory; paths on this host are "
                         "relative to the scenario's folder"),
        field<&T::config>("a file that goes into the guest with it, relative to the scenario's folder"),
        field<&T::sysctls>("written before it starts, e.g. [\"kernel.sched_schedstats\"] = \"1\""),
        field<&T::kernel_args>("arguments appended to the kernel's command line"),
        field<&T::enable>(
            "for a scheduler of the kernel's own: \"echo VALUE > FILE\" commands that turn it on"),
        field<&T::disable>("commands that turn it off again"),
        field<&T::handover>(
            "how it takes over from another: \"cold\", or \"preloaded\": loaded while the other still "
            "schedules, so that the time without a scheduler is that of its attach"),
        field<&T::watchdog_timeout>(
            "how long a runnable task may wait before the kernel ends the scheduler, in place of what it "
            "asks for; written into guest memory once it is attached"),
        field<&T::topology>("the machine of scenarios that use it and state none"),
        field<&T::min_cpus>("CPUs that it needs at least"),
        field<&T::max_cpus>("CPUs that it can have at most"),
        field<&T::min_llcs>("LLCs that it needs at least"),
        field<&T::max_llcs>("LLCs that it can have at most"),
        field<&T::min_nodes>("NUMA nodes that it needs at least"),
        field<&T::max_nodes>("NUMA nodes that it can have at most"),
        field<&T::expect>("what must hold whenever it is used; the scenario's own expectations win"));
  }
};

/// What `args` holds where the configuration file's path belongs.
inline constexpr std::string_view kConfigPlaceholder = "{config}";

/// The scheduler's own arguments and those of its active flags, in the order of `active`. Precondition: it
/// was checked.
[[nodiscard]] std::vector<std::string> arguments(const SchedulerDef& def);

/// Every set of flags in which each flag has what it needs, the empty one first, then by size and name.
/// Errors (kInvalidArgument): more than kMostFlags flags.
inline constexpr std::size_t kMostFlags = 16;
[[nodiscard]] Result<std::vector<std::vector<std::string>>> flag_profiles(const SchedulerDef& def);

/// A command of `enable` or `disable`, "echo VALUE > FILE": a guest has no shell.
struct ControlCommand {
  std::string file;
  std::string value;
};
/// Errors (kInvalidArgument): anything but "echo VALUE > /absolute/file" below /proc or /sys.
[[nodiscard]] Result<ControlCommand> parse_control_command(std::string_view command);

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::Handover> = enumeration<engine::Handover>("handover", {
    {"cold", engine::Handover::kCold, "the former scheduler is detached, then the program is started"},
    {"preloaded", engine::Handover::kPreloaded, "the program is started and held at its attach, then the former scheduler is detached"}});
// clang-format on

/// A table, or a string: the program's path or name, or the name of a scheduler defined elsewhere in the
/// scenario.
template <>
struct CustomReader<engine::SchedulerDef> {
  static ReadStatus read(const Value& value, engine::SchedulerDef& out, const ReadPlace& place,
                         MissingMembers);
};
template <>
struct CustomReader<engine::SchedulerFlag> {
  static ReadStatus read(const Value& value, engine::SchedulerFlag& out, const ReadPlace& place,
                         MissingMembers) {
    return detail::read_record(value, out, place, MissingMembers::kKeepDefault);
  }
};
}  // namespace ktstr
