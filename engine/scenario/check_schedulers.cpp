#include "engine/scenario/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "engine/base/nearest.h"
#include "engine/schedulers/closure.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

/// A scheduler where the scenario names it.
struct Mention {
  SchedulerDef* def;
  Place place;
  /// Written as a string: so far the path is all there is.
  [[nodiscard]] bool is_reference() const { return place.is_string(); }
};

std::vector<Mention> mentions(Scenario& scenario, const Place& place) {
  std::vector<Mention> found;
  if (scenario.scheduler) found.push_back({&*scenario.scheduler, place.member("scheduler")});
  for (std::size_t i = 0; i < scenario.steps.size(); ++i)
    for (std::size_t j = 0; j < scenario.steps[i].ops.size(); ++j)
      std::visit(
          [&](auto& op) {
            if constexpr (requires { op.scheduler; })
              found.push_back(
                  {&op.scheduler,
                   place.member("steps").element(i).member("ops").element(j).member("scheduler")});
          },
          scenario.steps[i].ops[j]);
  return found;
}

std::string default_name(const SchedulerDef& def) {
  return def.path ? fs::path(*def.path).filename().string() : std::string();
}

std::vector<std::string_view> flag_names(const SchedulerDef& def) {
  std::vector<std::string_view> names;
  for (const auto& [name, flag] : def.flags) names.push_back(name);
  return names;
}

ReadStatus check_known(const std::string& flag, const SchedulerDef& def, const Place& place) {
  if (def.flags.contains(flag)) return {};
  return place.error("unknown flag \"" + flag + "\"" + did_you_mean(flag, flag_names(def)));
}

bool is_active(const std::string& flag, const SchedulerDef& def) {
  return std::find(def.active.begin(), def.active.end(), flag) != def.active.end();
}

/// What it requires and is no flag's name is told where it stands; what is named twice is told once.
ReadStatus check_active(const SchedulerDef& def, std::size_t index, const Place& place) {
  const auto& flag = def.active[index];
  if (auto error = check_known(flag, def, place)) return error;
  const auto own = def.active.begin() + static_cast<std::ptrdiff_t>(index);
  if (std::find(def.active.begin(), own, flag) != own) return {};
  ReadStatus status;
  if (std::count(own, def.active.end(), flag) > 1)
    status = place.error("the flag \"" + flag + "\" is named twice");
  for (const auto& need : def.flags.at(flag).needs)
    if (def.flags.contains(need) && !is_active(need, def))
      add_error(status,
                place.error("the flag \"" + flag + "\" requires \"" + need + "\", which is not active"));
  return status;
}

ReadStatus check_flags(const SchedulerDef& def, const Place& place) {
  if (def.flags.size() > kMostFlags)
    return place.member("flags").error("at most " + std::to_string(kMostFlags) + " flags");
  ReadStatus status;
  for (const auto& [name, flag] : def.flags)
    for (std::size_t i = 0; i < flag.needs.size(); ++i)
      add_error(status, check_known(flag.needs[i], def,
                                    place.member("flags").member(name).member("requires").element(i)));
  for (std::size_t i = 0; i < def.active.size(); ++i)
    add_error(status, check_active(def, i, place.member("active").element(i)));
  return status;
}

ReadStatus check_commands(const std::vector<std::string>& commands, const Place& place) {
  ReadStatus status;
  for (std::size_t i = 0; i < commands.size(); ++i)
    add_error(status, place.element(i).error_of(parse_control_command(commands[i])));
  return status;
}

/// Names of files below /proc/sys, with dots or slashes between their parts.
ReadStatus check_sysctls(const SchedulerDef& def, const Place& place) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
  ReadStatus status;
  for (const auto& [name, value] : def.sysctls) {
    const bool plain =
        name.find_first_not_of(kAllowed) == std::string::npos && name.find("..") == std::string::npos;
    if (!plain || name.empty() || name.front() == '/' || name.front() == '.')
      add_error(status, place.member(name).error("is no sysctl: names are like \"kernel.sched_schedstats\""));
  }
  return status;
}

ReadStatus check_config(SchedulerDef& def, const Place& place, const ProgramPlaces& places) {
  const auto all = arguments(def);
  const bool used = std::any_of(all.begin(), all.end(), [](const auto& argument) {
    return argument.find(kConfigPlaceholder) != std::string::npos;
  });
  if (!def.config && used)
    return place.member("args").error("\"{config}\" stands for a file, and `config` names none");
  if (!def.config) return {};
  ReadStatus status;
  const auto at = place.member("config");
  if (!used) status = at.error("no argument holds \"{config}\", so the scheduler would not see it");
  const auto path = places.base / *def.config;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) add_error(status, at.error("there is no file " + path.string()));
  def.config = path.string();
  return status;
}

/// Names that would hide what the guest itself needs.
bool is_taken(const fs::path& name) {
  constexpr std::string_view kTaken[] = {"init", "proc", "sys", "dev", "tmp", "schedulers"};
  const auto first = name.relative_path().begin()->string();
  if (!name.is_absolute()) return first == "lib";
  return std::find(std::begin(kTaken), std::end(kTaken), first) != std::end(kTaken);
}

ReadStatus check_guest_path(const std::string& name, const SchedulerDef& def, const Place& place) {
  const fs::path path(name);
  if (name.empty() || path.lexically_normal() != path || path.filename().empty() ||
      *path.relative_path().begin() == "..")
    return place.error("is no name of a file: write \"layers.json\" or \"/etc/layers.json\"");
  if (is_taken(path) || name == fs::path(def.path.value_or(std::string())).filename().string())
    return place.error("can't be replaced in the guest");
  return {};
}

ReadStatus check_files(SchedulerDef& def, const Place& place, const ProgramPlaces& places) {
  ReadStatus status;
  for (auto& [name, host_file] : def.files) {
    const auto at = place.member(name);
    add_error(status, check_guest_path(name, def, at));
    const auto path = places.base / host_file;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) add_error(status, at.error("there is no file " + path.string()));
    host_file = fs::absolute(path).string();
  }
  return status;
}

/// Shorter than what a busy guest takes to run a task at all, or so long that it is none.
ReadStatus check_watchdog(const std::optional<Duration>& timeout, const Place& place) {
  constexpr Duration kShortest = std::chrono::milliseconds(100), kLongest = std::chrono::hours(1);
  if (!timeout || (*timeout >= kShortest && *timeout <= kLongest)) return {};
  return place.member("watchdog_timeout")
      .error("must be from " + format_duration(kShortest) + " to " + format_duration(kLongest) + ", not " +
             format_duration(*timeout));
}

ReadStatus check_program(SchedulerDef& def, const Place& place, const ProgramPlaces& places) {
  auto program = find_program(def.path.value_or(def.name), places);
  if (!program) return place.error(program.error().message);
  const auto libraries = LibraryPlaces::of_this_host();
  if (!libraries) return place.error(libraries.error().message);
  if (auto closure = resolve_closure(*program, *libraries); !closure)
    return place.error(program->string() + " " + closure.error().message);
  def.path = program->string();
  return {};
}

ReadStatus check_built_in(const SchedulerDef& def, const Place& place) {
  ReadStatus status;
  if (def.path)
    status = place.member("path").error("a scheduler with `enable` commands is the kernel's own: no path");
  if (def.name.empty()) add_error(status, place.error("a scheduler with `enable` commands needs a name"));
  if (!def.args.empty() || !def.flags.empty() || def.config || !def.files.empty())
    add_error(
        status,
        place.error("a scheduler with `enable` commands has no program that could take arguments or files"));
  if (def.watchdog_timeout)
    add_error(status,
              place.member("watchdog_timeout").error("the kernel's own schedulers have no such watchdog"));
  if (def.handover == Handover::kPreloaded)
    add_error(status,
              place.member("handover").error("a scheduler with `enable` commands has no program to preload"));
  add_error(status, check_commands(def.enable, place.member("enable")));
  add_error(status, check_commands(def.disable, place.member("disable")));
  return status;
}

/// What runs: the kernel's own scheduler, or a program with its files and, if its flags are right, arguments.
ReadStatus check_what_runs(SchedulerDef& def, bool has_arguments, const Place& place,
                           const ProgramPlaces& places) {
  if (!def.enable.empty()) return check_built_in(def, place);
  if (!def.disable.empty()) return place.member("disable").error("has no `enable` to undo");
  if (!def.path && def.name.empty()) return place.error("names neither a path nor a name");
  auto status = check_program(def, def.path && !place.is_string() ? place.member("path") : place, places);
  if (def.name.empty()) def.name = default_name(def);
  add_error(status, check_files(def, place.member("files"), places));
  if (has_arguments) add_error(status, check_config(def, place, places));
  return status;
}

ReadStatus check_definition(SchedulerDef& def, const Place& place, const ProgramPlaces& places) {
  auto status = check_sysctls(def, place.member("sysctls"));
  auto flags = check_flags(def, place);
  const bool has_arguments = !flags;  // those of unknown flags are not known
  add_error(status, std::move(flags));
  add_error(status, check_watchdog(def.watchdog_timeout, place));
  add_error(status, check_scheduler_error(def.expect, place.member("expect")));
  add_error(status, check_what_runs(def, has_arguments, place, places));
  return status;
}

/// The definition that a string means, if it is the name of one.
const SchedulerDef* named(const std::string& name, const std::vector<Mention>& all) {
  const auto is_it = [&](const Mention& mention) {
    const auto& own = mention.def->name;
    return !mention.is_reference() && (own.empty() ? default_name(*mention.def) : own) == name;
  };
  const auto found = std::find_if(all.begin(), all.end(), is_it);
  return found == all.end() ? nullptr : found->def;
}

struct MachineSize {
  std::size_t cpus, llcs, nodes;
};

/// What a scheduler takes of it.
struct Bound {
  const char* name;
  std::optional<std::uint32_t> SchedulerDef::*limit;
  std::size_t MachineSize::*count;
  bool is_least;
  const char* things;
};

constexpr Bound kBounds[] = {
    {"min_cpus", &SchedulerDef::min_cpus, &MachineSize::cpus, true, "CPUs"},
    {"max_cpus", &SchedulerDef::max_cpus, &MachineSize::cpus, false, "CPUs"},
    {"min_llcs", &SchedulerDef::min_llcs, &MachineSize::llcs, true, "LLCs"},
    {"max_llcs", &SchedulerDef::max_llcs, &MachineSize::llcs, false, "LLCs"},
    {"min_nodes", &SchedulerDef::min_nodes, &MachineSize::nodes, true, "NUMA nodes"},
    {"max_nodes", &SchedulerDef::max_nodes, &MachineSize::nodes, false, "NUMA nodes"}};

/// Bounds of one scheduler. `place` is its definition's.
ReadStatus check_bounds(const SchedulerDef& def, const vmm::Topology& topology, const Place& place) {
  const MachineSize size{topology.cpus(), topology.llcs, topology.nodes};
  ReadStatus status;
  for (const auto& each : kBounds) {
    const auto bound = def.*each.limit;
    const auto there = size.*each.count;
    if (!bound || (each.is_least ? there >= *bound : there <= *bound)) continue;
    add_error(status,
              place.member(each.name).error(fmt::format(
                  "the topology {} has {} {}, and this scheduler takes at {} {}", topology.to_string(), there,
                  each.things, each.is_least ? "least" : "most", *bound)));
  }
  return status;
}

}  // namespace

void resolve_scheduler_names(Scenario& scenario, const Place& place) {
  const auto all = mentions(scenario, place);
  for (const auto& mention : all)
    if (mention.is_reference())
      if (const auto* definition = named(*mention.def->path, all)) *mention.def = SchedulerDef(*definition);
}

ReadStatus check_schedulers(Scenario& scenario, const Place& place, const ProgramPlaces& places) {
  auto status = check_watchdog(scenario.watchdog_timeout, place);
  for (const auto& mention : mentions(scenario, place)) {
    auto& def = *mention.def;
    if (!def.watchdog_timeout && def.enable.empty()) def.watchdog_timeout = scenario.watchdog_timeout;
    add_error(status, check_definition(def, mention.place, places));
    add_error(status, check_bounds(def, scenario.topology, mention.place));
  }
  return status;
}

}  // namespace ktstr::engine
