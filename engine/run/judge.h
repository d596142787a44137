// Judging a run: limits in force, checks of workers and samples, and the verdict that follows.
#pragma once

#include "engine/report/run_report.h"
#include "engine/scenario/scenario.h"
#include "engine/verdict/expectations.h"

namespace ktstr::engine {

/// The limits that a run on `cpus` CPUs is held against. Emulation multiplies those of the defaults that say
/// how long something may last with kEmulationFactor.
[[nodiscard]] LimitsReport limits_in_force(const Expectations& expectations, bool emulated, std::size_t cpus);

/// Adds what the workers and samples violate to report.failures, after what is there already (the cause of a
/// run that broke off), fills the summaries, and decides the verdict. A run whose samples could not be judged
/// is inconclusive; so is one in which nothing was checked: no worker, no scheduler, no stated limit and no
/// hook
/// (`hooked`: the scenario has one). Precondition: workers, monitor (samples, period and HZ) and limits are
/// filled in.
void judge(RunReport& report, bool hooked = false);

/// Says of a scenario whose cgroups have weights of their own that no check goes by them.
void note_weights(RunReport& report, const Scenario& scenario);

/// Adds the failures of a hook and decides again.
void add_failures(RunReport& report, std::string_view check, const std::vector<std::string>& messages);

}  // namespace ktstr::engine
