// DumpReport: what a run's report says of a dump that was taken during the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// The dump itself is in `file`, or was lost for the reason in `problem`.
struct DumpReport {
  std::string name;   ///< empty: nobody named it
  std::string cause;  ///< "requested", "scheduler_error" or "scheduler_vanished"
  std::string detail;
  std::string schema;  ///< "single" or "degraded"
  std::uint64_t elapsed_ns = 0;
  std::uint64_t frozen_ns = 0;
  std::optional<std::string> file{};
  std::optional<std::string> problem{};
};

}  // namespace ktstr::engine

namespace ktstr {
template <>
inline constexpr auto describe<engine::DumpReport> = [] {
  using T = engine::DumpReport;
  return record<T>("DumpReport", "a dump that was taken during the run",
                   field("name", &T::name, "what the scenario called it; empty when nobody named it"),
                   field("cause", &T::cause, "requested, scheduler_error, scheduler_vanished or guest_panic"),
                   field("detail", &T::detail, "what was seen, in one line"),
                   field("schema", &T::schema, "\"single\", or \"degraded\" when the vCPUs did not stop"),
                   field("elapsed_ns", &T::elapsed_ns, "time since the machine's start, ns"),
                   field("frozen_ns", &T::frozen_ns, "how long the guest stood still for it, ns"),
                   field("file", &T::file, "where it was written"),
                   field("problem", &T::problem, "why it was not written"));
}();
}  // namespace ktstr
