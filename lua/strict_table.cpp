#include "lua/strict_table.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/base/nearest.h"
#include "lua/raise.h"

namespace ktstr::lua {
namespace {

/// A script may fill the globals with names.
constexpr std::size_t kMostNamesCompared = 1000;

/// __index of such a table; upvalues: its name, and the table itself, whatever the first argument is.
int refuse_unknown(lua_State* state) {
  lua_settop(state, 2);
  const std::string table = lua_tostring(state, lua_upvalueindex(1));
  if (lua_type(state, 2) != LUA_TSTRING)
    return raise(state, table + " has names, no key that is a " + luaL_typename(state, 2));
  const std::string name = lua_tostring(state, 2);
  return raise(state, table + " has no \"" + name + "\"" + nearest_key(state, lua_upvalueindex(2), name));
}

}  // namespace

void refuse_unknown_names(lua_State* state, const std::string& table) {
  lua_newtable(state);
  lua_pushlstring(state, table.data(), table.size());
  lua_pushvalue(state, -3);
  lua_pushcclosure(state, &refuse_unknown, 2);
  lua_setfield(state, -2, "__index");
  close_metatable(state);
  lua_setmetatable(state, -2);
}

void close_metatable(lua_State* state) {
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
}

std::string nearest_key(lua_State* state, int index, const std::string& name) {
  std::vector<std::string> names;
  lua_pushnil(state);
  while (lua_next(state, index) != 0) {
    lua_pop(state, 1);
    if (names.size() < kMostNamesCompared && lua_type(state, -1) == LUA_TSTRING)
      names.emplace_back(lua_tostring(state, -1));
  }
  std::sort(names.begin(), names.end());
  const std::vector<std::string_view> views(names.begin(), names.end());
  return did_you_mean(name, views);
}

}  // namespace ktstr::lua
