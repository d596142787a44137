// ktstr list: the scenarios of a directory, one line each; or the flag profiles of one.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "engine/base/printable.h"
#include "engine/run/scheduler_setup.h"
#include "lua/commands/commands.h"
#include "lua/script_host.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> scripts_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".lua") files.push_back(entry->path());
  if (error) return system_error(directory.string(), error.value());
  std::sort(files.begin(), files.end());
  return files;
}

void print_row(std::size_t name_width, const std::string& name, const std::string& topology,
               const std::string& duration, const std::string& description) {
  const std::string padding(name_width - std::min(name_width, text_width(name)), ' ');
  std::printf("%s%s  %-10s  %8s  %s\n", name.c_str(), padding.c_str(), topology.c_str(), duration.c_str(),
              printable(description).c_str());
}

Result<int> list(const fs::path& directory) {
  const auto files = KTSTR_TRY(scripts_in(directory));
  int code = kPassed;
  std::vector<engine::Scenario> scenarios;
  std::size_t width = 4;
  for (const auto& file : files) {
    auto host = ScriptHost::load(file);
    if (!host) {
      code = report_error(host.error());
      continue;
    }
    scenarios.push_back(host->scenario());
    scenarios.back().name = printable(scenarios.back().name);
    width = std::max(width, text_width(scenarios.back().name));
  }
  print_row(width, "NAME", "TOPOLOGY", "DURATION", "DESCRIPTION");
  for (const auto& scenario : scenarios)
    print_row(width, scenario.name, scenario.topology.to_string(), format_duration(scenario.duration),
              scenario.description);
  return code;
}

/// "name: flags of a profile", one line for each of each scheduler.
Result<int> list_profiles(const fs::path& file) {
  const auto host = KTSTR_TRY(ScriptHost::load(file));
  for (const auto* scheduler : engine::schedulers_of(host.scenario()))
    for (const auto& profile : KTSTR_TRY(engine::flag_profiles(*scheduler))) {
      std::printf("%s:", printable(scheduler->name).c_str());
      for (const auto& flag : profile) std::printf(" %s", printable(flag).c_str());
      std::printf("\n");
    }
  return kPassed;
}

}  // namespace

void add_list_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("list", "List the scenarios of a directory");
  auto directory = std::make_shared<fs::path>("scenarios");
  command->add_option("DIR", *directory, "Where to look for *.lua")->capture_default_str();
  auto profiles = std::make_shared<fs::path>();
  command->add_option("--profiles", *profiles,
                      "List the valid combinations of scheduler flags of this scenario instead");
  on_chosen(*command, invocation, [directory, profiles] {
    return profiles->empty() ? list(*directory) : list_profiles(*profiles);
  });
}

}  // namespace ktstr::lua
