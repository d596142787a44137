// ktstr: scenarios for sched_ext schedulers and the kernel's own, on real kernels, watched from outside.
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/nearest.h"
#include "engine/base/printable.h"
#include "lua/commands/commands.h"
#include "lua/version.h"

namespace ktstr::lua {
namespace {

constexpr const char* kFooter =
    "\"ktstr SCENARIO.lua\" is short for \"ktstr run SCENARIO.lua\".\n"
    "Exit codes: 0 pass, 1 fail, 2 inconclusive, 3 usage or tool error, 130 interrupted.";

/// The message of a log line, which may quote what a guest or a script said.
class PrintableMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const auto text = printable_lines({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableMessage>();
  }
};

void set_up_log(const Invocation& invocation) {
  auto logger = spdlog::stderr_color_st("ktstr");
  auto* sink = static_cast<spdlog::sinks::stderr_color_sink_st*>(logger->sinks().front().get());
  sink->set_color_mode(wants_colour(2, invocation) ? spdlog::color_mode::always : spdlog::color_mode::never);
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PrintableMessage>('*').set_pattern("%H:%M:%S.%e %^%l%$ %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(invocation.verbosity > 1   ? spdlog::level::debug
                    : invocation.verbosity > 0 ? spdlog::level::info
                                               : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// Puts "run" in front where scripts stand without a command. Errors: a word where a command should be that
/// is neither a command nor a script.
Status complete_arguments(const CLI::App& app, std::vector<std::string>& arguments) {
  const auto names = command_names(app);
  const auto is_command = [&](const auto& word) {
    return std::find(names.begin(), names.end(), word) != names.end();
  };
  const auto is_script = [](const auto& word) { return word.ends_with(".lua"); };
  const auto first = std::find_if(arguments.begin(), arguments.end(),
                                  [](const auto& word) { return !word.starts_with("-"); });
  if (first == arguments.end() || std::any_of(arguments.begin(), arguments.end(), is_command)) return ok();
  const bool after_options = first != arguments.begin();  // then it may be an option's value
  if (is_script(*first) || (after_options && std::any_of(first, arguments.end(), is_script))) {
    arguments.insert(arguments.begin(), "run");
    return ok();
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return Error{ErrorCode::kInvalidArgument,
               "unknown command \"" + *first + "\"" + did_you_mean(*first, known)};
}

/// Prints help and version as they are, and what is wrong with the arguments, which it quotes, made
/// printable.
int exit_after(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream wrong;
  if (app.exit(error, std::cout, wrong) == 0) return kPassed;
  return report_error({ErrorCode::kInvalidArgument, wrong.str()});
}

int run(std::vector<std::string> arguments) {
  CLI::App app{"Scenarios for CPU schedulers on real kernels, watched from outside the guest", "ktstr"};
  Invocation invocation;
  app.set_version_flag("--version", version_text());
  app.add_flag("-v,--verbose", invocation.verbosity, "Log to standard error; twice for more");
  app.add_flag("--no-color", invocation.no_color, "Never use colour (also: NO_COLOR in the environment)");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  add_run_command(app, invocation);
  add_list_command(app, invocation);
  add_check_command(app, invocation);
  add_kernel_command(app, invocation);
  add_dump_command(app, invocation);
  add_ctprof_command(app, invocation);
  add_docs_command(app, invocation);

  if (const auto complete = complete_arguments(app, arguments); !complete)
    return report_error(complete.error());
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return exit_after(app, error);
  }
  set_up_log(invocation);
  const auto outcome = invocation.action();
  const int code = outcome ? *outcome : report_error(outcome.error());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    return report_error(system_error("standard output"));
  return code;
}

}  // namespace
}  // namespace ktstr::lua

// What libraries throw ends here; what can be foreseen is an Error long before.
int main(int argc, char** argv) {
  using namespace ktstr;
  try {
    return lua::run({argv + 1, argv + argc});
  } catch (const std::bad_alloc&) {
    return lua::report_error({ErrorCode::kUnavailable, "out of memory"});
  } catch (const std::exception& error) {
    return lua::report_error({ErrorCode::kIo, error.what()});
  }
}
