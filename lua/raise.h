// Errors of C++ functions that scripts call.
#pragma once

#include <lua.hpp>
#include <string_view>

namespace ktstr::lua {

/// Raises the message with the line of the script that called, also when the sandbox's own Lua code stands
/// between.
int raise(lua_State* state, std::string_view message);

/// Answers with nil.
inline int answer_nil(lua_State* state) {
  lua_pushnil(state);
  return 1;
}

}  // namespace ktstr::lua
