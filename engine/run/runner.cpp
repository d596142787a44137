#include "engine/run/runner.h"

#include <fmt/format.h>

#include <utility>

#include "engine/base/io.h"
#include "engine/base/thread.h"
#include "engine/base/units.h"
#include "engine/run/agent_initramfs.h"
#include "engine/run/attempt.h"
#include "engine/run/bootable.h"
#include "engine/run/judge.h"
#include "engine/run/kernel_options.h"
#include "engine/run/repeat.h"
#include "engine/run/scheduler_setup.h"
#include "engine/scenario/workers.h"

namespace ktstr::engine {
namespace {

using Clock = std::chrono::steady_clock;

Result<CachedKernel> choose_kernel(const Scenario& scenario, const RunOptions& options) {
  const auto store = KTSTR_TRY(KernelStore::open(options.kernel_cache, options.notice));
  return store.resolve(options.kernel ? options.kernel : scenario.kernel);
}

RunReport empty_report(const Scenario& scenario, const RunOptions& options, const CachedKernel& kernel) {
  RunReport report;
  report.scenario = scenario.name;
  report.description = scenario.description;
  report.started_at = utc_text(std::chrono::system_clock::now());
  report.ktstr = options.ktstr;
  report.host = this_host();
  report.script = options.script_files;
  report.seed = options.seed;
  report.replay = replay_command(options, kernel.metadata.release);
  report.kernel = {.version = kernel.metadata.release, .build_id = kernel.metadata.build_id};
  report.machine = {.backend = {},
                    .emulated = false,
                    .topology = scenario.topology.to_string(),
                    .cpus = scenario.topology.cpus(),
                    .memory_bytes = guest_memory(scenario).bytes,
                    .kaslr = scenario.kaslr};
  if (scenario.memory && *scenario.memory < guest_memory(scenario))
    report.machine.memory_asked_bytes = scenario.memory->bytes;
  report.limits = limits_in_force(expectations_of(scenario), false, scenario.topology.cpus());
  return report;
}

std::uint64_t since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - begin).count());
}

/// All but the files that live as long as a run: initramfs and console log.
Result<vmm::MachineConfig> machine_config(const Scenario& scenario, const RunOptions& options,
                                          const CachedKernel& kernel) {
  return vmm::MachineConfig{.kernel_elf = kernel.elf,
                            .kernel_bzimage = kernel.bzimage,
                            .initramfs = {},
                            .topology = scenario.topology,
                            .memory = guest_memory(scenario),
                            .tick_rate = KTSTR_TRY(tick_rate_of(kernel)),
                            .kaslr = scenario.kaslr,
                            .kernel_args = kernel_args_of(scenario),
                            .console_log = {},
                            .performance = options.performance};
}

/// What lies beside the agent: the schedulers, and what their loaders look for.
Result<StagedSchedulers> stage_files(const Scenario& scenario, const CachedKernel& kernel) {
  auto staged = KTSTR_TRY(stage_schedulers(scenario));
  auto options = kernel_options_file(kernel);
  if (options && !staged.programs.empty()) staged.files.push_back(std::move(*options));
  return staged;
}

/// The attempts of a run. Only the first one may fork: what the emulator spoiled may have been spoiled when
/// the snapshot was taken.
Result<RunReport> run_attempts(const Scenario& scenario, const RunOptions& options, const Prepared& prepared,
                               ProgressTicker& ticker, const RunReport& blank) {
  std::shared_ptr<const ReadyGuest> origin;
  if (prepared.key) origin = options.booted_guests->begin_run(*prepared.key);
  return run_repeating(blank, [&](RunReport& report) {
    Attempt attempt(scenario, options, prepared, ticker, report, std::exchange(origin, nullptr));
    auto fault = attempt.run();
    if (fault && *fault && prepared.key) options.booted_guests->discard(*prepared.key);
    return fault;
  });
}

Status run_check_hook(const RunOptions& options, RunReport& report) {
  if (!options.check) return ok();
  auto messages = KTSTR_TRY(options.check(report), "check hook");
  add_failures(report, "check", messages);
  return ok();
}

}  // namespace

Duration default_boot_timeout(const vmm::Topology& topology) {
  return std::chrono::seconds(60 + 5 * static_cast<std::int64_t>(topology.cpus()));
}

Result<std::optional<BootKey>> planned_boot(const Scenario& scenario, const RunOptions& options) {
  const auto kernel = KTSTR_TRY(choose_kernel(scenario, options));
  if (unmet_requirement(scenario, kernel.metadata)) return std::nullopt;
  const auto schedulers = KTSTR_TRY(stage_files(scenario, kernel));
  return KTSTR_TRY(
      boot_key(KTSTR_TRY(machine_config(scenario, options, kernel)), schedulers.files, options.backend));
}

namespace {

Result<RunReport> run_once(const Scenario& scenario, const RunOptions& options) {
  const auto begin = Clock::now();
  ProgressTicker ticker(options.progress);
  Prepared prepared{.kernel = KTSTR_TRY(choose_kernel(scenario, options)),
                    .machine = {},
                    .key = {},
                    .schedulers = {},
                    .debug_info = {}};
  auto blank = empty_report(scenario, options, prepared.kernel);
  if (auto unmet = unmet_requirement(scenario, prepared.kernel.metadata)) {
    blank.reason = std::move(*unmet);
    return blank;
  }
  prepared.debug_info =
      std::async(std::launch::async, [&prepared] {
        return introspect::KernelDebugInfo::load(prepared.kernel.symbols, prepared.kernel.btf);
      }).share();
  prepared.schedulers = KTSTR_TRY(stage_files(scenario, prepared.kernel));
  prepared.machine = KTSTR_TRY(machine_config(scenario, options, prepared.kernel));
  if (options.booted_guests)
    prepared.key = KTSTR_TRY(boot_key(prepared.machine, prepared.schedulers.files, options.backend));
  const auto initramfs = KTSTR_TRY(make_agent_initramfs(std::move(prepared.schedulers.files)));
  prepared.machine.initramfs = path_of(initramfs.get());
  prepared.machine.console_log = options.console_log;
  blank.timings.prepare_ns = since(begin);
  auto report = KTSTR_TRY(run_attempts(scenario, options, prepared, ticker, blank));
  judge(report, scenario.check || scenario.on_snapshot);
  note_weights(report, scenario);
  KTSTR_TRY(run_check_hook(options, report));
  return report;
}

}  // namespace

Result<RunReport> run_scenario(const Scenario& scenario, const RunOptions& options) {
  return KTSTR_TRY(with_threads("the run", [&] { return run_once(scenario, options); }));
}

}  // namespace ktstr::engine
