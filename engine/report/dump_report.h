// DumpReport: what a run's report says of a dump that was taken during the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// The dump itself is in `file`, or was lost for the reason in `problem`.
struct DumpReport {
  std::string name;
  std::string cause;
  std::string detail;
  std::string schema;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t frozen_ns = 0;
  std::optional<std::string> file{};
  std::optional<std::string> problem{};

  static consteval auto describe() {
    using T = DumpReport;
    return record("a dump that was taken during the run",
                  field<&T::name>("what the scenario called it; empty when nobody named it"),
                  field<&T::cause>("requested, scheduler_error, scheduler_vanished or guest_panic"),
                  field<&T::detail>("what was seen, in one line"),
                  field<&T::schema>("\"single\", or \"degraded\" when the vCPUs did not stop"),
                  field<&T::elapsed_ns>("time since the machine's start, ns"),
                  field<&T::frozen_ns>("how long the guest stood still for it, ns"),
                  field<&T::file>("where it was written"), field<&T::problem>("why it was not written"));
  }
};

}  // namespace ktstr::engine
