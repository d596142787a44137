// Tables of functions in which a misspelt name is an error.
#pragma once

#include <lua.hpp>
#include <string>

namespace ktstr::lua {

/// From now on, reading a name that the table on top of the stack does not have raises an error with the
/// nearest that it has: "TABLE has no \"NAME\" (did you mean ...?)".
void refuse_unknown_names(lua_State* state, const std::string& table);

}  // namespace ktstr::lua
