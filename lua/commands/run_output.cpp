#include "lua/commands/run_output.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/report/ktap.h"

namespace ktstr::lua {
namespace {

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

RunOutput::RunOutput(std::size_t scripts, bool ktap, engine::TextOptions text) : ktap_(ktap), text_(text) {
  if (ktap_) print(engine::ktap_plan(scripts));
}

void RunOutput::add(const engine::RunReport& report) {
  ++told_;
  count(static_cast<ExitCode>(engine::exit_code(report.verdict)));
  print(ktap_ ? engine::ktap_test(told_, report) : engine::to_text(report, text_));
}

void RunOutput::add_error(const std::filesystem::path& script, const Error& error) {
  ++told_;
  if (ktap_) print(engine::ktap_error(told_, script.stem().string(), error.message));
  count(ktap_ ? exit_code_of(error) : static_cast<ExitCode>(report_error(error)));
}

void RunOutput::count(ExitCode code) {
  static constexpr std::array kWorstFirst = {kInterrupted, kToolError, kFailed, kInconclusive, kPassed};
  const auto is_worst = [&](ExitCode known) { return known == code || known == code_; };
  code_ = *std::ranges::find_if(kWorstFirst, is_worst);
}

}  // namespace ktstr::lua
