// The part of the sandbox's library that is written in Lua, and the C functions that its strings use:
// searches whose work is bounded.
#pragma once

#include <lua.hpp>

namespace ktstr::lua {

/// Replaces functions of Lua's library that would run without a bound, or nest on the C stack, or show
/// addresses. What calls a script's function is Lua itself, so the budgets see it, and no C stack grows. The
/// libraries must be open. May raise Lua errors.
void run_prelude(lua_State* state);

/// string.find(s, pattern, init, plain) and string.match(s, pattern, init), as Lua has them.
int string_find(lua_State* state);
int string_match(lua_State* state);

/// search(s, pattern, init, anchor): first, last and the captures, none standing for the whole match; or nil.
int string_search(lua_State* state);

/// expand(replacement, whole, captures...): the replacement with %0 to %9 filled in.
int string_expand(lua_State* state);

/// conversions(format): the letter of each conversion, in order ("sd"). Raises for "%p", an address.
int string_conversions(lua_State* state);

}  // namespace ktstr::lua
