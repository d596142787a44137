// What `ktstr run` prints of its runs, each as it ends.
#pragma once

#include <cstddef>
#include <filesystem>

#include "engine/report/run_report.h"
#include "engine/report/text.h"
#include "lua/commands/commands.h"

namespace ktstr::lua {

/// Prints on standard output, errors of a text run on standard error. In KTAP every script has its line, one
/// that could not be run as well.
class RunOutput {
 public:
  /// `scripts`: how many results will be told.
  RunOutput(std::size_t scripts, bool ktap, engine::TextOptions text);

  void add(const engine::RunReport& report);
  /// A script that is wrong, or could not be run.
  void add_error(const std::filesystem::path& script, const Error& error);

  /// The worst of all so far: interrupted, tool error, fail, inconclusive, pass.
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  void count(ExitCode code);

  bool ktap_;
  engine::TextOptions text_;
  std::size_t told_ = 0;
  ExitCode code_ = kPassed;
};

}  // namespace ktstr::lua
