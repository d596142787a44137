#include "lua/raise.h"

#include "lua/state.h"

namespace ktstr::lua {

int raise(lua_State* state, std::string_view message) {
  {
    std::string text;
    if (const auto place = LuaState::caller(state)) text = LuaState::prefix(*place);
    text += message;
    lua_pushlstring(state, text.data(), text.size());
  }
  return lua_error(state);
}

}  // namespace ktstr::lua
