// The module "ktstr.ctprof": captures of threads as tables, and comparisons of two.
#pragma once

#include <lua.hpp>

namespace ktstr::lua {

/// Pushes the module's table: load(path) and compare(before, after, options). It is the one way by which a
/// script reaches a file: nothing but a capture is read, and only from a regular file called *.ctprof.zst.
/// May raise Lua errors.
void push_ctprof_module(lua_State* state);

}  // namespace ktstr::lua
