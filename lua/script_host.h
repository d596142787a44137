// ScriptHost: one scenario file, loaded in a sandbox; its Scenario, and its hooks.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/write.h"
#include "engine/dump/snapshot.h"
#include "engine/report/provenance.h"
#include "engine/scenario/scenario.h"
#include "lua/lua_sink.h"
#include "lua/state.h"

namespace ktstr::lua {

class HookFailures;
class ScriptSources;

/// Owns the Lua state of one script. Hooks run in it, so it must outlive the run. One thread at a time.
class ScriptHost {
 public:
  /// Runs the script and checks what it returns; nothing is booted. Errors (kInvalidArgument, kNotFound, kIo)
  /// begin with the file and, where it is known, the line: "scenarios/foo.lua:12: cgroups.web.cpuset: ...".
  /// Several mistakes that do not follow from each other are a line each.
  [[nodiscard]] static Result<ScriptHost> load(const std::filesystem::path& file, const Limits& limits = {});
  ScriptHost(ScriptHost&&) noexcept;
  ScriptHost& operator=(ScriptHost&&) noexcept;
  ~ScriptHost();

  [[nodiscard]] const engine::Scenario& scenario() const { return scenario_; }
  /// The script and the modules that it has required so far.
  [[nodiscard]] engine::ScriptReport files() const;

  /// Calls the scenario's check(report) with the report as tables, what was read from guest memory as plain
  /// values, and gives the failures it added: at most 100, and how many more there were. An error inside the
  /// hook is one more failure, with its file and line. Nothing when there is no hook. Errors: kCancelled.
  template <class Report>
  [[nodiscard]] Result<std::vector<std::string>> run_check(const Report& report) {
    return run_hook(scenario_.check, "check", [&](LuaSink& sink) {
      engine::PlainSink plain(sink);
      write(plain, report);
    });
  }

  /// Calls the scenario's on_snapshot(snapshot), likewise. `write_snapshot` makes the table.
  [[nodiscard]] Result<std::vector<std::string>> run_on_snapshot(
      const std::function<void(LuaSink&)>& write_snapshot) {
    return run_hook(scenario_.on_snapshot, "on_snapshot", write_snapshot);
  }

  /// Hooks end with kCancelled once `fd` (engine::Interrupt::stop_fd()) is readable.
  void stop_when_readable(int fd);
  /// Where lines of the script's `print` go from now on, each with "# " in front; before that, to standard
  /// error.
  void print_with(std::function<void(std::string_view)> printer);

 private:
  ScriptHost(std::unique_ptr<LuaState> state, std::unique_ptr<ScriptSources> sources);
  [[nodiscard]] Result<std::vector<std::string>> run_hook(
      const std::optional<Value::Function>& function, const char* name,
      const std::function<void(LuaSink&)>& write_argument);
  [[nodiscard]] Status run_script(Value& tree);

  std::unique_ptr<LuaState> state_;
  std::unique_ptr<ScriptSources> sources_;
  std::unique_ptr<HookFailures> failures_;  ///< a script may hold a pointer to it as long as its state lives
  engine::Scenario scenario_;
};

}  // namespace ktstr::lua
