#include "engine/run/scheduler_setup.h"

#include <algorithm>
#include <filesystem>

#include "engine/base/elf_image.h"
#include "engine/base/mapped_file.h"
#include "engine/scenario/check_ops.h"
#include "engine/schedulers/closure.h"
#include "engine/verdict/expectations.h"

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

/// Definitions with one program and the same files share a folder.
std::string folder_key(const SchedulerDef& def) {
  auto key = *def.path;
  for (const auto& [name, host_file] : def.files) key += "\n" + name + "=" + host_file;
  return key;
}

class Staging {
 public:
  Status add(const SchedulerDef& def) {
    if (def.path && !staged_.programs.contains(folder_key(def))) KTSTR_TRY(add_program(def));
    if (def.config && !staged_.configs.contains(*def.config)) add_config(*def.config);
    return ok();
  }
  StagedSchedulers take() { return std::move(staged_); }

 private:
  Status add_program(const SchedulerDef& def) {
    const auto& path = *def.path;
    const auto places = KTSTR_TRY(LibraryPlaces::of_this_host());
    auto closure = KTSTR_TRY(resolve_closure(path, places), "scheduler " + path);
    const auto folder = std::string(kFolder) + std::to_string(staged_.programs.size());
    const auto program = folder + "/" + fs::path(path).filename().string();
    add_file(program, path, 0755);
    staged_.programs[folder_key(def)] = "/" + program;
    if (auto id = build_id_of(path)) staged_.build_ids[path] = std::move(*id);
    if (closure.interpreter)
      add_file(in_archive(*closure.interpreter), fs::canonical(*closure.interpreter), 0755);
    for (const auto& [soname, file] : closure.libraries)
      add_file(folder + "/lib/" + fs::path(soname).filename().string(), file, 0755);
    if (!closure.libraries.empty()) staged_.libraries[folder_key(def)] = "/" + folder + "/lib";
    return add_files(def, folder);
  }
  Status add_files(const SchedulerDef& def, const std::string& folder) {
    for (const auto& [name, host_file] : def.files) {
      const auto place = name.front() == '/' ? in_archive(name) : in_archive("/" + folder + "/" + name);
      if (!add_file(place, host_file, 0644) && host_files_.at(place) != host_file)
        return Error{ErrorCode::kInvalidArgument, "scheduler " + def.name + ": two files would be /" + place +
                                                      " in the guest: " + host_files_.at(place) + " and " +
                                                      host_file};
    }
    return ok();
  }
  void add_config(const std::string& path) {
    const auto file = std::string(kFolder) + "config/" + std::to_string(staged_.configs.size()) + "/" +
                      fs::path(path).filename().string();
    add_file(file, path, 0644);
    staged_.configs[path] = "/" + file;
  }
  /// False when there is a file of that name.
  bool add_file(const std::string& name, const fs::path& host_file, std::uint32_t mode) {
    const bool is_new = host_files_.emplace(name, host_file.string()).second;
    if (is_new) staged_.files.push_back({.path = name, .content = host_file, .mode = mode});
    return is_new;
  }

  StagedSchedulers staged_;
  std::map<std::string, std::string> host_files_;  ///< by their names in the archive
};

}  // namespace

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
  request.program = programs.at(folder_key(def));
  request.preloaded = def.handover == Handover::kPreloaded;
  if (const auto library = libraries.find(folder_key(def)); library != libraries.end())
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
  for (const auto* def : schedulers_of(scenario)) KTSTR_TRY(staging.add(*def));
  return staging.take();
}

}  // namespace ktstr::engine
