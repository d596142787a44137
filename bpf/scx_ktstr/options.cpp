#include "bpf/scx_ktstr/options.h"

#include <CLI/CLI.hpp>
#include <cstring>

namespace ktstr::bpf {
namespace {

constexpr std::size_t kNameBytes = 128;  // SCX_OPS_NAME_LEN (kernel/sched/ext_internal.h)
constexpr std::size_t kCommBytes = 16;
constexpr std::size_t kMessageBytes = 64;

CLI::Validator at_most(std::size_t characters) {
  return {[characters](std::string& text) {
            if (text.size() <= characters) return std::string();
            return "longer than " + std::to_string(characters) + " characters";
          },
          "TEXT"};
}

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  std::vector<std::byte> bytes(sizeof(value));
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes(text.size() + 1);
  std::memcpy(bytes.data(), text.c_str(), bytes.size());
  return bytes;
}

/// Adds an option that sets a variable of type T.
template <class T>
CLI::Option* add(CLI::App& app, Options& options, const char* flag, const char* variable, const char* help) {
  const auto set = [&options, variable](const T& value) {
    options.settings.push_back({variable, bytes_of(value)});
  };
  return app.add_option_function<T>(flag, set, help);
}

void add_switch(CLI::App& app, Options& options, const char* flag, const char* variable, const char* help) {
  const auto set = [&options, variable] {
    options.settings.push_back({variable, bytes_of(std::uint32_t{1})});
  };
  app.add_flag_callback(flag, set, help);
}

void add_faults(CLI::App& app, Options& options) {
  add<std::uint32_t>(app, options, "--stall-tid", "stall_tid", "Never dispatch this thread");
  add<std::string>(app, options, "--stall-comm", "stall_comm", "Never dispatch threads of this name")
      ->check(at_most(kCommBytes - 1));
  add_switch(app, options, "--drop-all", "drop_all", "Forget every task that is enqueued");
  add_switch(app, options, "--unknown-dsq", "unknown_dsq", "Put tasks into a DSQ that nobody made");
  add_switch(app, options, "--error", "error_now", "Call scx_bpf_error() with the message");
  add<std::string>(app, options, "--error-message", "error_message", "What --error says")
      ->check(at_most(kMessageBytes - 1));
  add_switch(app, options, "--exit", "exit_now", "Call scx_bpf_exit() with the code");
  add<std::int64_t>(app, options, "--exit-code", "exit_code", "The code of --exit");
  add<std::int32_t>(app, options, "--only-cpu", "only_cpu", "Run every task that may on this CPU");
  add<std::uint32_t>(app, options, "--spin-ms", "spin_ms", "Spin in every dispatch callback for this long");
  add<std::uint32_t>(app, options, "--refuse-init-task", "refuse_init_task",
                     "Let init_task fail with this errno");
  add<std::uint32_t>(app, options, "--leak-every", "leak_every",
                     "Leave every so many-th task in a forgotten DSQ")
      ->check(CLI::PositiveNumber);
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  CLI::App app("A sched_ext scheduler by virtual time, one DSQ per LLC, that fails on demand", "scx_ktstr");
  ParsedOptions parsed;
  app.add_option("--name", parsed.options.ops_name, "Name of the scheduler")
      ->check(at_most(kNameBytes - 1))
      ->capture_default_str();
  app.add_option("--timeout-ms", parsed.options.timeout_ms, "The kernel's watchdog")
      ->check(CLI::Range(1u, 30'000u))
      ->capture_default_str();
  app.add_option("--slow-load-ms", parsed.options.slow_load_ms,
                 "Wait this long between loading and attaching");
  app.add_option("--large-hash", parsed.options.large_hash, "Make a hash of this many entries, all in use")
      ->check(CLI::Range(1u, 1u << 20));
  add<std::uint64_t>(app, parsed.options, "--slice-ns", "slice_ns", "Time slice")->check(CLI::PositiveNumber);
  add_faults(app, parsed.options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_status = app.exit(error) == 0 ? kDetached : kBadUsage;
  }
  return parsed;
}

}  // namespace ktstr::bpf
