// CtprofReport: what a run's report says of a capture of the guest's threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine {

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
