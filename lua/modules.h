// require: the modules "ktstr" and "ktstr.ctprof", and files beside the script.
#pragma once

#include <lua.hpp>

#include "lua/sources.h"

namespace ktstr::lua {

/// Compiles chunk `chunk` of `sources`, as text only, and pushes its function. Raises a Lua error for a
/// syntax error, and for keys that stand twice in one table.
void push_chunk(lua_State* state, ScriptSources& sources, int chunk);

/// Makes the global `require`. Each module runs once; what it returns is kept. `sources` must outlive the
/// state.
void install_require(lua_State* state, ScriptSources& sources);

}  // namespace ktstr::lua
