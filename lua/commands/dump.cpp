// ktstr dump: shows and compares dumps that runs have left.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "engine/dump/diff.h"
#include "engine/dump/text.h"
#include "introspect/dump/dump.h"
#include "lua/commands/commands.h"
#include "lua/commands/json_output.h"
#include "lua/commands/typed_options.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;
using introspect::FailureDumpReport;

struct ShowDumpArguments {
  fs::path file;
  engine::DumpTextOptions text;
  bool json = false;
};

struct DiffArguments {
  fs::path before;
  fs::path after;
  engine::DiffOptions options;
  bool json = false;
};

Error has_none(std::string_view what) {
  return {ErrorCode::kNotFound,
          "the dump has no such " + std::string(what) + " (--json shows one of schema \"single\")"};
}

/// The maps of that name, or the task.
Result<int> print_part(const FailureDumpReport& report, const engine::DumpTextOptions& options) {
  bool found = false;
  for (const auto& map : report.maps)
    if (options.map && map.name == *options.map) {
      print_json(map);
      found = true;
    }
  for (const auto& task : report.task_enrichments)
    if (options.task && task.pid == *options.task) {
      print_json(task);
      found = true;
    }
  if (!found) return has_none(options.map ? "map" : "task");
  return kPassed;
}

Result<int> print_as_json(const introspect::FailureDump& dump, const engine::DumpTextOptions& options) {
  if (options.map || options.task) {
    const auto* report = std::get_if<FailureDumpReport>(&dump);
    return report ? print_part(*report, options) : has_none("part");
  }
  std::visit([](const auto& report) { print_json(report); }, dump);
  return kPassed;
}

Result<introspect::FailureDump> read_dump_file(const fs::path& file) {
  std::string note;
  auto dump = KTSTR_TRY(introspect::read_dump(file, &note));
  report_note(file, note);
  return dump;
}

Result<int> show_dump(ShowDumpArguments arguments, const Invocation& invocation) {
  arguments.text.colour = wants_colour(STDOUT_FILENO, invocation);
  auto dump = KTSTR_TRY(read_dump_file(arguments.file));
  if (arguments.json) return print_as_json(dump, arguments.text);
  std::fputs(KTSTR_TRY(engine::to_text(std::move(dump), arguments.text)).c_str(), stdout);
  return kPassed;
}

void print_differences(const engine::DumpDiff& found) {
  for (const auto& difference : found.differences) std::printf("%s\n", difference.to_text().c_str());
  if (const auto left_out = found.left_out.to_text(); !left_out.empty())
    std::printf("%s\n", left_out.c_str());
}

Result<int> compare_dumps(const DiffArguments& arguments) {
  const auto before = KTSTR_TRY(read_dump_file(arguments.before));
  const auto after = KTSTR_TRY(read_dump_file(arguments.after));
  const auto found = KTSTR_TRY(engine::diff(before, after, arguments.options));
  if (arguments.json)
    print_json(found);
  else
    print_differences(found);
  return found.differences.empty() ? kPassed : kFailed;
}

void add_show_dump(CLI::App& parent, Invocation& invocation) {
  auto* command =
      parent.add_subcommand("show", "Show a dump: the cause, the scheduler, CPUs, queues, tasks, maps");
  auto arguments = std::make_shared<ShowDumpArguments>();
  command->add_option("FILE", arguments->file, "A dump file")->required();
  auto* map = command->add_option("--map", arguments->text.map,
                                  "Show only the map of this name, with all its entries");
  add_number(*command, "--task", arguments->text.task,
             "Show only the task with this pid, with all that is known of it", 0, 4'194'304)
      ->excludes(map);
  command->add_flag("--json", arguments->json, "Print JSON instead of text");
  on_chosen(*command, invocation, [&invocation, arguments] { return show_dump(*arguments, invocation); });
}

void add_diff(CLI::App& parent, Invocation& invocation) {
  auto* command =
      parent.add_subcommand("diff", "Show what is different between two dumps; exits with 1 if anything is");
  auto arguments = std::make_shared<DiffArguments>();
  command->add_option("A", arguments->before, "The first dump file")->required();
  command->add_option("B", arguments->after, "The second")->required();
  auto* map =
      command->add_option("--map", arguments->options.map, "Only what is different in the map of this name");
  command
      ->add_option(
          "--only", arguments->options.only,
          "Only what is different below this path, such as task_enrichments or \"cpu_runqueues[cpu 0]\"")
      ->excludes(map);
  command->add_flag("--all", arguments->options.all,
                    "Also what is different in any two dumps: addresses, ids, counters and clocks");
  command->add_flag("--json", arguments->json, "Print JSON instead of text");
  on_chosen(*command, invocation, [arguments] { return compare_dumps(*arguments); });
}

}  // namespace

void add_dump_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("dump", "Show and compare dumps of guests");
  command->require_subcommand(1);
  add_show_dump(*command, invocation);
  add_diff(*command, invocation);
}

}  // namespace ktstr::lua
