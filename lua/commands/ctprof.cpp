// ktstr ctprof: what every thread of this machine has done, and what changed between two captures.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "engine/base/thread.h"
#include "engine/ctprof/compare_request.h"
#include "engine/ctprof/texts.h"
#include "engine/run/interrupt.h"
#include "introspect/ctprof/capture.h"
#include "introspect/ctprof/file.h"
#include "introspect/ctprof/jemalloc/probe.h"
#include "lua/commands/commands.h"
#include "lua/commands/json_output.h"
#include "lua/commands/typed_options.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;
namespace ctprof = introspect::ctprof;

constexpr std::int32_t kMostPid = 4'194'304;  // PID_MAX_LIMIT of include/linux/threads.h
constexpr std::size_t kAll = 0, kMostRows = 1'000'000;

/// Options by which threads are put into groups.
struct GroupArguments {
  std::string by = "pcomm";
  bool no_normalize = false;
  std::vector<std::string> flatten;

  [[nodiscard]] ctprof::GroupOptions options() const {
    ctprof::GroupOptions options;
    for (const auto& value : describe<ctprof::GroupBy>.values)
      if (value.name == by) options.by = value.value;
    options.normalize = !no_normalize;
    options.cgroup_flatten = flatten;
    return options;
  }
};

struct CaptureArguments {
  ctprof::CaptureOptions capture;
  bool no_jemalloc = false;
  fs::path output;
  std::string watch;
  std::string by = "run_time_ns";
  std::size_t top = 20;
  GroupArguments group;
};

struct ShowArguments {
  fs::path file;
  GroupArguments group;
  engine::ShowOptions show;
  bool json = false;
};

struct CompareArguments {
  fs::path before, after;
  GroupArguments group;
  std::vector<std::string> sections;
  engine::CompareRequest request;  ///< what the options say at once
  std::size_t limit = 50;
  bool json = false, csv = false;
};

template <class E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const auto& value : describe<E>.values) names.emplace_back(value.name);
  return names;
}

std::size_t terminal_width() {
  winsize size{};
  return ::isatty(STDOUT_FILENO) && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

TableStyle style(const Invocation& invocation) {
  return {wants_colour(STDOUT_FILENO, invocation), terminal_width()};
}

Result<ctprof::Snapshot> capture_now(const CaptureArguments& arguments) {
  auto snapshot = KTSTR_TRY(ctprof::capture(arguments.capture));
  if (!arguments.no_jemalloc) ctprof::probe_jemalloc(arguments.capture.proc, snapshot);
  return snapshot;
}

Result<ctprof::Snapshot> read_file(const fs::path& file) {
  std::string note;
  auto snapshot = KTSTR_TRY(ctprof::read_snapshot(file, &note));
  report_note(file, note);
  return snapshot;
}

Result<int> capture_once(const CaptureArguments& arguments) {
  const auto snapshot = KTSTR_TRY(capture_now(arguments));
  KTSTR_TRY(ctprof::write_snapshot(arguments.output, snapshot));
  std::fputs(engine::summary_text(snapshot).c_str(), stderr);
  return kPassed;
}

Result<Duration> watch_interval(const std::string& text) {
  constexpr Duration kLeast = std::chrono::milliseconds(10), kMost = std::chrono::hours(24);
  const auto interval = KTSTR_TRY(parse_duration(text), "--watch");
  if (interval < kLeast || interval > kMost)
    return invalid_argument(
        fmt::format("--watch {}: takes {} to {}", text, format_duration(kLeast), format_duration(kMost)));
  return interval;
}

/// Captures again and again and shows rates, until it is interrupted.
Result<int> watch(const CaptureArguments& arguments, const Invocation& invocation) {
  const auto interval = KTSTR_TRY(watch_interval(arguments.watch));
  const auto cancellation = KTSTR_TRY(engine::Cancellation::on_interrupt());
  const engine::ShowOptions options{arguments.group.options(), {}, arguments.by, arguments.top};
  auto before = KTSTR_TRY(capture_now(arguments));
  while (!stopped_within(cancellation->token(), interval)) {
    auto after = KTSTR_TRY(capture_now(arguments));
    const auto text = KTSTR_TRY(engine::rates_text(before, after, options, style(invocation)));
    std::fputs(text.c_str(), stdout);
    if (std::fflush(stdout) != 0) return system_error("standard output");
    before = std::move(after);
  }
  return kPassed;
}

Result<int> capture(const CaptureArguments& arguments, const Invocation& invocation) {
  if (!arguments.watch.empty()) return watch(arguments, invocation);
  if (arguments.output.empty())
    return invalid_argument("capture: where to? give --output FILE, or --watch INTERVAL");
  return capture_once(arguments);
}

Result<int> show(const ShowArguments& arguments, const Invocation& invocation) {
  const auto snapshot = KTSTR_TRY(read_file(arguments.file));
  if (arguments.json) {
    print_json(snapshot);
    return kPassed;
  }
  auto options = arguments.show;
  options.group = arguments.group.options();
  const auto text = KTSTR_TRY(engine::show_text(snapshot, options, style(invocation)));
  std::fputs((engine::summary_text(snapshot) + "\n" + text).c_str(), stdout);
  return kPassed;
}

engine::CompareRequest compare_request(const CompareArguments& arguments) {
  const auto group = arguments.group.options();
  auto request = arguments.request;
  request.group_by = group.by;
  request.normalize = group.normalize;
  request.cgroup_flatten = group.cgroup_flatten;
  for (const auto& value : describe<ctprof::Section>.values)
    for (const auto& name : arguments.sections)
      if (value.name == name) request.sections.push_back(value.value);
  return request;
}

Result<int> compare(const CompareArguments& arguments, const Invocation& invocation) {
  const auto before = KTSTR_TRY(read_file(arguments.before));
  const auto after = KTSTR_TRY(read_file(arguments.after));
  const auto comparison = engine::compare(before, after, compare_request(arguments));
  if (arguments.json) {
    print_json(comparison);
    return kPassed;
  }
  const auto text = arguments.csv ? engine::compare_csv(comparison)
                                  : engine::compare_text(comparison, arguments.limit, style(invocation));
  std::fputs(text.c_str(), stdout);
  return kPassed;
}

void add_group_options(CLI::App& command, GroupArguments& arguments) {
  command
      .add_option("--group-by", arguments.by, "all, pcomm (the process's name), cgroup, comm or comm-exact")
      ->check(CLI::IsMember(names_of<ctprof::GroupBy>()))
      ->capture_default_str();
  command.add_flag("--no-normalize", arguments.no_normalize,
                   "Keep names apart that differ in numbers only (worker-1, worker-2)");
  command.add_option("--cgroup-flatten", arguments.flatten,
                     "Cgroups that match this glob are one group; may be given several times");
}

void add_capture(CLI::App& parent, Invocation& invocation) {
  auto* command =
      parent.add_subcommand("capture", "Write down what every thread has done so far, or watch them");
  auto arguments = std::make_shared<CaptureArguments>();
  auto* output =
      command->add_option("-o,--output", arguments->output, "The file to write: NAME.ctprof.zst, by custom");
  add_number(*command, "--pid", arguments->capture.pid, "Only this process", 1, kMostPid);
  command->add_flag("--no-jemalloc", arguments->no_jemalloc,
                    "Do not read jemalloc's counters, for which its threads are stopped for a moment");
  auto* watch = command->add_option("--watch", arguments->watch,
                                    "Write no file: capture every so often (1s) and show rates");
  watch->excludes(output);
  add_number(*command, "--top", arguments->top, "With --watch: show this many groups; 0: all", kAll,
             kMostRows)
      ->needs(watch);
  command->add_option("--by", arguments->by, "With --watch: show those with the most of this metric")
      ->needs(watch)
      ->capture_default_str();
  add_group_options(*command, arguments->group);
  on_chosen(*command, invocation, [&invocation, arguments] { return capture(*arguments, invocation); });
}

void add_show(CLI::App& parent, Invocation& invocation) {
  auto* command = parent.add_subcommand("show", "Show a capture, a line for each group of threads");
  auto arguments = std::make_shared<ShowArguments>();
  command->add_option("FILE", arguments->file, "A capture")->required();
  add_group_options(*command, arguments->group);
  command->add_option("--metrics", arguments->show.metrics, "Columns, separated by commas")->delimiter(',');
  command->add_option("--by", arguments->show.by, "Sort by this metric; else by the first column");
  add_number(*command, "--top", arguments->show.limit, "Show this many groups; 0: all", kAll, kMostRows);
  command->add_flag("--json", arguments->json, "Print the whole capture as JSON instead");
  on_chosen(*command, invocation, [&invocation, arguments] { return show(*arguments, invocation); });
}

void add_compare(CLI::App& parent, Invocation& invocation) {
  auto* command = parent.add_subcommand("compare", "Show what changed between two captures");
  auto arguments = std::make_shared<CompareArguments>();
  command->add_option("BEFORE", arguments->before, "The first capture")->required();
  command->add_option("AFTER", arguments->after, "The second")->required();
  add_group_options(*command, arguments->group);
  command->add_option("--sections", arguments->sections, "Only these, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(names_of<ctprof::Section>()));
  command->add_option("--filter", arguments->request.filter, "Only groups that match this glob");
  command->add_option("--metric", arguments->request.metric, "Only metrics that match this glob");
  add_number(*command, "--limit", arguments->limit, "Show this many rows of the table; 0: all", kAll,
             kMostRows);
  command->add_flag("--all", arguments->request.all, "Show what did not change, too");
  command->add_flag("--by-name", arguments->request.by_name,
                    "Sort by section, group and metric, not by relative change");
  command->add_flag("--capturers", arguments->request.capturers,
                    "Show the processes that captured, too: most of what they did is the capture");
  auto* json = command->add_flag("--json", arguments->json, "Print JSON instead of a table");
  command->add_flag("--csv", arguments->csv, "Print comma-separated values instead of a table")
      ->excludes(json);
  on_chosen(*command, invocation, [&invocation, arguments] { return compare(*arguments, invocation); });
}

void add_metric_list(CLI::App& parent, Invocation& invocation) {
  auto* command =
      parent.add_subcommand("metric-list", "Show what is captured, from where, and what it needs");
  on_chosen(*command, invocation, [&invocation] {
    std::fputs(engine::metric_list_text(style(invocation)).c_str(), stdout);
    return kPassed;
  });
}

}  // namespace

void add_ctprof_command(CLI::App& app, Invocation& invocation) {
  auto* command =
      app.add_subcommand("ctprof", "Profile every thread of this machine; compare two such profiles");
  command->require_subcommand(1);
  add_capture(*command, invocation);
  add_show(*command, invocation);
  add_compare(*command, invocation);
  add_metric_list(*command, invocation);
}

}  // namespace ktstr::lua
