// require: the modules "ktstr" and "ktstr.ctprof", and files beside the script.
#pragma once

#include <filesystem>
#include <lua.hpp>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/report/provenance.h"
#include "lua/locator.h"
#include "lua/state.h"

namespace ktstr::lua {

/// The script and the modules beside it, read once each, never from outside its directory, by chunk number.
/// Paths in messages are spelt as the user gave the script's.
class ScriptSources {
 public:
  explicit ScriptSources(std::filesystem::path script) : script_(std::move(script)) {}

  /// Reads the script itself: chunk 0. Errors: kNotFound, kIo; kInvalidArgument for a directory or a file
  /// above 1 MB.
  [[nodiscard]] Result<int> add_script(LuaState& state);
  /// Reads module "a.b", the file a/b.lua beside the script. Errors also for a name that is not made of
  /// letters, digits and "_", and for a file that lies outside the script's directory once links are
  /// followed; kInvalidArgument for more than 500 files or 16 MB in all.
  [[nodiscard]] Result<int> add_module(LuaState& state, const std::string& name);

  [[nodiscard]] const std::string& text(int chunk) const {
    return sources_[static_cast<std::size_t>(chunk)]->text;
  }
  [[nodiscard]] const Locator& locator(int chunk);
  /// The files read so far.
  [[nodiscard]] engine::ScriptReport files() const;

 private:
  struct Source {
    std::string shown;  ///< its path
    std::string text;
    std::unique_ptr<Locator> locator;
  };
  [[nodiscard]] Result<int> add(LuaState& state, const std::filesystem::path& file, const std::string& shown);

  std::filesystem::path script_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::size_t bytes_ = 0;
};

/// Compiles chunk `chunk` of `sources`, as text only, and pushes its function. Raises a Lua error for a
/// syntax error, and for keys that stand twice in one table.
void push_chunk(lua_State* state, ScriptSources& sources, int chunk);

/// Makes the global `require`. Each module runs once; what it returns is kept. `sources` must outlive the
/// state.
void install_require(lua_State* state, ScriptSources& sources);

/// Pushes the table of "ktstr.ctprof", captures of threads as tables and comparisons of two: load(path) and
/// compare(before, after, options). It is the one way by which a script reaches a file: nothing but a capture
/// is read, and only from a regular file called *.ctprof.zst. May raise Lua errors.
void push_ctprof_module(lua_State* state);

}  // namespace ktstr::lua
