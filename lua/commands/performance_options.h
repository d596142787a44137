// The options of `ktstr run` that give a guest parts of this host for itself. They belong to the host and not
// to a test, so no scenario has them.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "engine/base/units.h"
#include "vmm/performance.h"

namespace ktstr::lua {

/// As given on the command line.
struct PerformanceArguments {
  bool all = false;
  bool pin = false;
  std::string realtime;  ///< a whole number; empty when not given
  std::optional<Duration> halt_poll;
  bool huge_pages = false;
  bool prefault = false;

  [[nodiscard]] vmm::PerformanceOptions options() const;
};

/// `arguments` must outlive the parsing. What makes no sense is a parsing error.
void add_performance_options(CLI::App& command, PerformanceArguments& arguments);

}  // namespace ktstr::lua
