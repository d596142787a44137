// DegradedFailureDumpReport: what is known when the vCPUs could not be stopped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/dump/schema.h"
#include "introspect/dump/vcpu.h"

namespace ktstr::introspect {

/// A dump that could not be taken. `reason` names the vCPUs that did not stop.
struct DegradedFailureDumpReport {
  std::string schema{kSchemaDegraded};
  std::string format = kDumpFormat.to_string();
  std::string reason;
  std::vector<std::optional<VcpuRegSnapshot>> vcpu_regs;
  bool watchpoint_hit = false;
  std::string bss_latch_state = "not_resolved";
  std::optional<std::uint32_t> exit_kind{};
  std::uint64_t elapsed_ms = 0;

  static consteval auto describe() {
    using T = DegradedFailureDumpReport;
    return record(
        "what is known when the vCPUs could not be stopped", field<&T::schema>("\"degraded\""),
        field<&T::format>("version of the dump's format, MAJOR.MINOR"),
        field<&T::reason>("why there is no dump, in a sentence that begins with a fixed text"),
        field<&T::vcpu_regs>(
            "registers by vCPU; null for one that did not stop, or whose registers can't be read"),
        field<&T::watchpoint_hit>("whether a watchpoint on the scheduler's exit was hit"),
        field<&T::bss_latch_state>(
            "the probe's latch: triggered, not_triggered, out_of_bounds or not_resolved (no probe)"),
        field<&T::exit_kind>("the scheduler's exit kind, when it could be read"),
        field<&T::elapsed_ms>("time from the trigger to giving up, ms"));
  }
};

}  // namespace ktstr::introspect
