#include "engine/run/scheduler_setup.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/base/elf_image.h"
#include "engine/base/mapped_file.h"
#include "engine/scenario/ctprof_tags.h"
#include "engine/schedulers/closure.h"
#include "engine/verdict/merge.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "schedulers/";

/// What makes the kernel count all that a capture tells of (kernel/delayacct.c, kernel/sched/stats.c). As
/// arguments rather than sysctls: delays are counted only of tasks that began later.
constexpr const char* kCountingArguments[] = {"delayacct", "schedstats=enable"};

/// Paths of the archive have no leading slash.
std::string in_archive(const fs::path& guest_path) {
  return guest_path.relative_path().lexically_normal().string();
}

/// "kernel.sched_schedstats" is /proc/sys/kernel/sched_schedstats.
std::string sysctl_file(std::string name) {
  if (name.find('/') == std::string::npos) std::replace(name.begin(), name.end(), '.', '/');
  return "/proc/sys/" + name;
}

/// Precondition: it was checked.
std::vector<protocol::ControlWrite> writes_of(const std::vector<std::string>& commands) {
  std::vector<protocol::ControlWrite> writes;
  for (const auto& text : commands)
    if (auto command = parse_control_command(text))
      writes.push_back({std::move(command->file), std::move(command->value)});
  return writes;
}

/// nullopt: it has none, or is no ELF file.
std::optional<std::string> build_id_of(const fs::path& program) {
  const auto file = MappedFile::open(program);
  const auto elf = file ? ElfImage::open(file->bytes()) : Result<ElfImage>(file.error());
  return elf ? elf->build_id() : std::nullopt;
}

class Staging {
 public:
  Status add(const SchedulerDef& def) {
    if (def.path && !staged_.programs.contains(*def.path)) KTSTR_TRY_STATUS(add_program(*def.path));
    if (def.config && !staged_.configs.contains(*def.config)) add_config(*def.config);
    return ok();
  }
  StagedSchedulers take() { return std::move(staged_); }

 private:
  Status add_program(const std::string& path) {
    const auto places = KTSTR_TRY(LibraryPlaces::of_this_host());
    auto closure = resolve_closure(path, places);
    if (!closure) return std::move(closure.error()).with_context("scheduler " + path);
    const auto folder = std::string(kFolder) + std::to_string(staged_.programs.size());
    const auto program = folder + "/" + fs::path(path).filename().string();
    add_file(program, path, 0755);
    staged_.programs[path] = "/" + program;
    if (auto id = build_id_of(path)) staged_.build_ids[path] = std::move(*id);
    if (closure->interpreter)
      add_file(in_archive(*closure->interpreter), fs::canonical(*closure->interpreter), 0755);
    for (const auto& [soname, file] : closure->libraries)
      add_file(folder + "/lib/" + fs::path(soname).filename().string(), file, 0755);
    if (!closure->libraries.empty()) staged_.libraries[path] = "/" + folder + "/lib";
    return ok();
  }
  void add_config(const std::string& path) {
    const auto file = std::string(kFolder) + "config/" + std::to_string(staged_.configs.size()) + "/" +
                      fs::path(path).filename().string();
    add_file(file, path, 0644);
    staged_.configs[path] = "/" + file;
  }
  void add_file(const std::string& name, const fs::path& host_file, std::uint32_t mode) {
    if (names_.insert(name).second)
      staged_.files.push_back({.path = name, .content = host_file, .mode = mode});
  }

  StagedSchedulers staged_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<const SchedulerDef*> schedulers_of(const Scenario& scenario) {
  std::vector<const SchedulerDef*> all;
  if (scenario.scheduler) all.push_back(&*scenario.scheduler);
  for (const auto& step : scenario.steps)
    for (const auto& op : step.ops)
      std::visit(
          [&](const auto& kind) {
            if constexpr (requires { kind.scheduler; }) all.push_back(&kind.scheduler);
          },
          op);
  return all;
}

Expectations expectations_of(const Scenario& scenario) {
  Expectations expect;
  for (const auto* def : schedulers_of(scenario)) expect = overlay(std::move(expect), def->expect);
  return overlay(std::move(expect), scenario.expect);
}

std::vector<std::string> kernel_args_of(const Scenario& scenario) {
  std::vector<std::string> all;
  if (captures_threads(scenario)) all.assign(std::begin(kCountingArguments), std::end(kCountingArguments));
  all.insert(all.end(), scenario.kernel_args.begin(), scenario.kernel_args.end());
  for (const auto* def : schedulers_of(scenario))
    for (const auto& argument : def->kernel_args)
      if (std::find(all.begin(), all.end(), argument) == all.end()) all.push_back(argument);
  return all;
}

protocol::AttachScheduler StagedSchedulers::request(const SchedulerDef& def) const {
  protocol::AttachScheduler request;
  request.name = def.name;
  for (const auto& [name, value] : def.sysctls) request.before.push_back({sysctl_file(name), value});
  request.enable = writes_of(def.enable);
  request.disable = writes_of(def.disable);
  if (!def.path) return request;
  request.program = programs.at(*def.path);
  if (const auto library = libraries.find(*def.path); library != libraries.end())
    request.library_path = library->second;
  request.args = arguments(def);
  if (!def.config) return request;
  for (auto& argument : request.args)
    if (const auto at = argument.find(kConfigPlaceholder); at != std::string::npos)
      argument.replace(at, kConfigPlaceholder.size(), configs.at(*def.config));
  return request;
}

Result<StagedSchedulers> stage_schedulers(const Scenario& scenario) {
  Staging staging;
  for (const auto* def : schedulers_of(scenario)) KTSTR_TRY_STATUS(staging.add(*def));
  return staging.take();
}

}  // namespace ktstr::engine
