// Errors of C++ functions that scripts call.
#pragma once

#include <lua.hpp>
#include <string_view>

namespace ktstr::lua {

/// Raises the message with the line of the script that called.
inline int raise(lua_State* state, std::string_view message) {
  luaL_where(state, 1);
  lua_pushlstring(state, message.data(), message.size());
  lua_concat(state, 2);
  return lua_error(state);
}

}  // namespace ktstr::lua
