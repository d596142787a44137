// The part of the sandbox's library that is written in Lua.
#pragma once

#include <lua.hpp>

namespace ktstr::lua {

/// Replaces functions of Lua's library that would run without a bound, or nest on the C stack, or show
/// addresses. What calls a script's function is Lua itself, so the budgets see it, and no C stack grows. The
/// libraries must be open. May raise Lua errors.
void run_prelude(lua_State* state);

}  // namespace ktstr::lua
