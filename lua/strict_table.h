// Tables of functions in which a misspelt name is an error.
#pragma once

#include <lua.hpp>
#include <string>

namespace ktstr::lua {

/// From now on, reading a name that the table on top of the stack does not have raises an error with the
/// nearest that it has: "TABLE has no \"NAME\" (did you mean ...?)".
void refuse_unknown_names(lua_State* state, const std::string& table);

/// Hides the metatable on top of the stack from scripts: getmetatable() gives false, and setmetatable() is an
/// error.
void close_metatable(lua_State* state);

/// " (did you mean \"x\"?)" for the string key nearest to `name` in the table at `index`, or "". Leaves the
/// stack as it is.
[[nodiscard]] std::string nearest_key(lua_State* state, int index, const std::string& name);

}  // namespace ktstr::lua
