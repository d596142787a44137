#include "lua/strict_table.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/base/nearest.h"

namespace ktstr::lua {
namespace {

/// __index of such a table: a misspelt name is an error that tells the nearest.
int refuse_unknown(lua_State* state) {
  const std::string table = lua_tostring(state, lua_upvalueindex(1));
  std::vector<std::string> names;
  lua_pushnil(state);
  while (lua_next(state, 1) != 0) {
    lua_pop(state, 1);
    if (lua_type(state, -1) == LUA_TSTRING) names.emplace_back(lua_tostring(state, -1));
  }
  std::sort(names.begin(), names.end());
  const std::vector<std::string_view> views(names.begin(), names.end());
  lua_settop(state, 2);
  const char* text = lua_tostring(state, 2);
  const std::string name = text ? text : luaL_typename(state, 2);
  return luaL_error(state, "%s has no \"%s\"%s", table.c_str(), name.c_str(),
                    did_you_mean(name, views).c_str());
}

}  // namespace

void refuse_unknown_names(lua_State* state, const std::string& table) {
  lua_newtable(state);
  lua_pushlstring(state, table.data(), table.size());
  lua_pushcclosure(state, &refuse_unknown, 1);
  lua_setfield(state, -2, "__index");
  lua_setmetatable(state, -2);
}

}  // namespace ktstr::lua
