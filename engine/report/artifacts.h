// The files that a run leaves beside its report: their names, and what the report says of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// A text that somebody chose as a part of a file's name: anything but letters, digits, '.', '_' and '-' as
/// '_'.
[[nodiscard]] std::string file_name_part(std::string_view text);

/// "SCENARIO.NAME", both made fit for a file's name.
[[nodiscard]] std::string artifact_name(std::string_view scenario, std::string_view name);

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

/// The capture itself is in `file`, or was lost for the reason in `problem`.
struct CtprofReport {
  std::uint32_t step = 0;
  std::string tag;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t took_ns = 0;
  std::uint64_t threads = 0;
  std::optional<std::string> file{};
  std::optional<std::string> problem{};

  static consteval auto describe() {
    using T = CtprofReport;
    return record("a capture of all threads that was taken during the run",
                  field<&T::step>("the step that took it, from 1"),
                  field<&T::tag>("what the scenario called it"),
                  field<&T::elapsed_ns>("when it was begun, ns since the machine's start"),
                  field<&T::took_ns>("from the request until all of it was here, ns"),
                  field<&T::threads>("how many threads it holds"),
                  field<&T::file>("where it was written; ktstr ctprof and require \"ktstr.ctprof\" read it"),
                  field<&T::problem>("why it was not written"));
  }
};

}  // namespace ktstr::engine
