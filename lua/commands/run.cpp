// ktstr run: boots scenarios, one after the other, and prints verdicts.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/dump/snapshot.h"
#include "engine/report/json.h"
#include "engine/report/text.h"
#include "engine/run/bootable.h"
#include "engine/run/interrupt.h"
#include "engine/run/runner.h"
#include "lua/commands/commands.h"
#include "lua/commands/performance_options.h"
#include "lua/commands/run_output.h"
#include "lua/commands/typed_options.h"
#include "lua/script_host.h"
#include "lua/version.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;
using engine::RunReport;

struct RunArguments {
  std::vector<fs::path> files;
  std::optional<std::string> kernel;
  std::optional<fs::path> json;
  fs::path console_log;
  fs::path dump_dir;
  vmm::Backend backend = vmm::Backend::kAuto;
  PerformanceArguments performance;
  bool ktap = false;
  bool fresh_boot = false;
  std::uint64_t seed = engine::RunOptions{}.seed;
};

/// What the runs of one command share.
struct RunSurroundings {
  int stop_fd;
  engine::BootedGuests* booted_guests;  ///< null: every run boots
};

/// Dumps and captures go beside the report.
fs::path dump_directory(const RunArguments& arguments) {
  if (!arguments.dump_dir.empty() || !arguments.json) return arguments.dump_dir;
  return arguments.json->parent_path();
}

/// What a guest depends on.
engine::RunOptions machine_options(const RunArguments& arguments) {
  engine::RunOptions options;
  options.kernel = arguments.kernel;
  options.notice = [](const std::string& text) { spdlog::warn("{}", text); };
  options.backend = arguments.backend;
  options.performance = arguments.performance.options();
  return options;
}

engine::RunOptions options_for(const RunArguments& arguments, ScriptHost& host, const fs::path& file,
                               engine::ProgressLine& line, const RunSurroundings& surroundings) {
  auto options = machine_options(arguments);
  options.seed = arguments.seed;
  options.script = file.string();
  options.script_files = host.files();
  options.ktstr = this_build();
  options.console_log = arguments.console_log;
  options.progress = [&line](const engine::Progress& progress) { line.show(progress); };
  // The hook sees what a JSON file would hold: the whole of a long run does not fit a script's memory.
  options.check = [&host](const RunReport& report) { return host.run_check(engine::thinned(report, {})); };
  options.dump_dir = dump_directory(arguments);
  if (host.scenario().on_snapshot)
    options.on_snapshot = [&host](const introspect::FailureDump& dump) {
      return host.run_on_snapshot([&](LuaSink& sink) { engine::write_snapshot(sink, dump); });
    };
  options.stop_fd = surroundings.stop_fd;
  host.stop_when_readable(surroundings.stop_fd);
  options.booted_guests = surroundings.booted_guests;
  return options;
}

Result<RunReport> run_one(const RunArguments& arguments, ScriptHost& host, const fs::path& file,
                          const RunSurroundings& surroundings) {
  engine::ProgressLine line(STDERR_FILENO);
  host.print_with([&line](std::string_view text) { line.write_above(text); });
  spdlog::info("{}: topology {}, duration {}", host.scenario().name, host.scenario().topology.to_string(),
               format_duration(host.scenario().duration));
  auto report = KTSTR_TRY(
      engine::run_scenario(host.scenario(), options_for(arguments, host, file, line, surroundings)));
  report.script = host.files();  // a hook may have required more
  return report;
}

/// A script and what came of reading it.
struct Script {
  fs::path file;
  Result<ScriptHost> host;
};

/// Reads a script, and refuses it when it could not boot here.
Result<ScriptHost> load(const fs::path& file, vmm::Backend backend) {
  auto host = KTSTR_TRY(ScriptHost::load(file));
  KTSTR_TRY(engine::check_bootable(host.scenario(), backend), file.string());
  return host;
}

/// All scripts are read before the first guest boots: a mistake in the last one is told at once.
std::vector<Script> load_all(const RunArguments& arguments) {
  std::vector<Script> scripts;
  for (const auto& file : arguments.files) scripts.push_back({file, load(file, arguments.backend)});
  return scripts;
}

/// Whether nothing is run, because a script is wrong: all of those are told. KTAP has a place for them among
/// the results.
bool refuse_wrong_scripts(const std::vector<Script>& scripts, const RunArguments& arguments) {
  if (arguments.ktap) return false;
  bool refused = false;
  for (const auto& script : scripts) {
    if (script.host) continue;
    static_cast<void>(report_error(script.host.error()));
    refused = true;
  }
  return refused;
}

/// Later runs go on from guests that earlier ones booted; a single run has none. Nor has a guest that is to
/// have parts of the host: a fork has neither its CPUs nor its pages. Like all scripts, all kernels and
/// schedulers are found before the first guest boots; in KTAP the script for which that fails has a result
/// that says so.
Result<std::unique_ptr<engine::BootedGuests>> plan_boots(const RunArguments& arguments,
                                                         const std::vector<Script>& scripts) {
  const bool placed = arguments.performance.options() != vmm::PerformanceOptions{};
  if (arguments.fresh_boot || placed || scripts.size() < 2) return nullptr;
  std::vector<engine::BootKey> planned;
  for (const auto& script : scripts) {
    if (!script.host) continue;
    auto key = engine::planned_boot(script.host->scenario(), machine_options(arguments));
    if (!key && !arguments.ktap) return std::move(key.error());
    if (key && *key) planned.push_back(std::move(**key));
  }
  return std::make_unique<engine::BootedGuests>(planned);
}

/// What can be known of the command line's files before a guest has run for minutes.
Status check_outputs(const RunArguments& arguments) {
  if (arguments.json && arguments.files.size() > 1)
    return Error{ErrorCode::kInvalidArgument, "--json takes the report of one scenario; run them one by one"};
  if (arguments.json) KTSTR_TRY(engine::check_json_file(*arguments.json));
  if (!arguments.dump_dir.empty()) KTSTR_TRY(engine::check_directory(arguments.dump_dir), "--dump-dir");
  return ok();
}

/// Runs it and tells what came of it. Errors: its report can't be written.
Status run_script(const RunArguments& arguments, Script& script, const RunSurroundings& surroundings,
                  RunOutput& output) {
  if (!script.host) {
    output.add_error(script.file, script.host.error());
    return ok();
  }
  const auto report = run_one(arguments, *script.host, script.file, surroundings);
  if (!report) {
    output.add_error(script.file, report.error());
    return ok();
  }
  output.add(*report);
  return arguments.json ? engine::write_json_file(*report, *arguments.json) : ok();
}

Result<int> run(const RunArguments& arguments, const engine::TextOptions& text) {
  KTSTR_TRY(vmm::check_performance(arguments.performance.options()));
  KTSTR_TRY(check_outputs(arguments));
  auto scripts = load_all(arguments);
  if (refuse_wrong_scripts(scripts, arguments)) return kToolError;
  const auto interrupt = KTSTR_TRY(engine::Interrupt::install());
  if (arguments.backend == vmm::Backend::kAuto)
    if (const auto reason = vmm::why_not_kvm()) spdlog::info("QEMU runs the guest: {}", *reason);
  const auto booted_guests = KTSTR_TRY(plan_boots(arguments, scripts));
  const RunSurroundings surroundings{interrupt->stop_fd(), booted_guests.get()};
  RunOutput output(scripts.size(), arguments.ktap, text);
  for (auto& script : scripts) {
    if (output.code() != kInterrupted)
      KTSTR_TRY(run_script(arguments, script, surroundings, output));
    else if (arguments.ktap)
      output.add_error(script.file, {ErrorCode::kCancelled, "not run: interrupted before"});
  }
  return output.code();
}

}  // namespace

void add_run_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("run", "Run scenarios and judge them");
  auto arguments = std::make_shared<RunArguments>();
  command->add_option("SCENARIO", arguments->files, "Scenario files")->required();
  command->add_option("--kernel", arguments->kernel,
                      "A path, a version or the beginning of one; default: the scenario's, else the newest "
                      "cached with sched_ext");
  add_choice(*command, "--backend", arguments->backend,
             "What runs the guest: kvm is ktstr's own machine, qemu emulates, qemu-kvm is QEMU on KVM; "
             "auto takes kvm where this machine's KVM boots kernels, else qemu");
  add_performance_options(*command, arguments->performance);
  command->add_option("--json", arguments->json, "Write the whole report to this file");
  command->add_flag("--ktap", arguments->ktap, "Print KTAP, the kernel's test format, instead of text");
  command->add_flag("--fresh-boot", arguments->fresh_boot,
                    "Boot every scenario's guest; without it, of scenarios that boot alike the first one's "
                    "guest is booted, and the others go on from a snapshot of it");
  command->add_option("--console", arguments->console_log, "Append the guest's console to this file");
  command->add_option(
      "--dump-dir", arguments->dump_dir,
      "Write dumps and captures into this directory; default: that of --json's file, else the current one");
  add_number(*command, "--seed", arguments->seed, "Seed of random choices");
  on_chosen(*command, invocation, [&invocation, arguments] {
    return run(*arguments, {.colour = wants_colour(STDOUT_FILENO, invocation)});
  });
}

}  // namespace ktstr::lua
