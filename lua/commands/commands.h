// The commands of `ktstr`: each adds itself to the parser, and an action when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/result.h"

namespace ktstr::lua {

/// What a command's process ends with.
enum ExitCode : int {
  kPassed = 0,
  kFailed = 1,
  kInconclusive = 2,
  kToolError = 3,      ///< wrong usage or script, missing kernel, a machine that can't
  kInterrupted = 130,  ///< Ctrl-C, as shells count it (128 + SIGINT)
};

/// What parsing gives: options of all commands, and what to do.
struct Invocation {
  bool no_color = false;
  int verbosity = 0;
  std::function<Result<int>()> action;  ///< gives the exit code
};

/// What is to be done when this command was chosen.
void on_chosen(CLI::App& command, Invocation& invocation, std::function<Result<int>()> action);

void add_run_command(CLI::App& app, Invocation& invocation);
void add_list_command(CLI::App& app, Invocation& invocation);
void add_check_command(CLI::App& app, Invocation& invocation);
void add_kernel_command(CLI::App& app, Invocation& invocation);
void add_dump_command(CLI::App& app, Invocation& invocation);
void add_ctprof_command(CLI::App& app, Invocation& invocation);
void add_docs_command(CLI::App& app, Invocation& invocation);

/// The exit code that belongs to an error.
[[nodiscard]] ExitCode exit_code_of(const Error& error);

/// Says why on standard error and gives the exit code that belongs to the error.
[[nodiscard]] int report_error(const Error& error);

/// Says on standard error what was left out of a file that a newer ktstr wrote, if anything was.
void report_note(const std::filesystem::path& file, const std::string& note);

/// Whether output to `fd` is coloured: a terminal that can, NO_COLOR unset, no --no-color.
[[nodiscard]] bool wants_colour(int fd, const Invocation& invocation);

}  // namespace ktstr::lua
