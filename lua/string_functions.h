// C functions for the sandbox's string library: searches whose work is bounded.
#pragma once

#include <lua.hpp>

namespace ktstr::lua {

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
