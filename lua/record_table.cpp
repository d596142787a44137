#include "lua/record_table.h"

#include <algorithm>
#include <string>

#include "engine/base/nearest.h"
#include "lua/raise.h"
#include "lua/strict_table.h"

namespace ktstr::lua {
namespace {

const RecordNames* bound_names(lua_State* state) {
  return static_cast<const RecordNames*>(lua_touserdata(state, lua_upvalueindex(1)));
}

std::string unknown(const RecordNames& names, const std::string& name) {
  return std::string(names.record) + " has no \"" + name + "\"" + did_you_mean(name, names.members);
}

/// __index; upvalues: the record's names, the method "fail" or nil. Only the key is looked at.
int read_absent(lua_State* state) {
  lua_settop(state, 2);
  const auto* names = bound_names(state);
  if (lua_type(state, 2) != LUA_TSTRING) {
    if (names && lua_type(state, 2) == LUA_TNUMBER)
      return raise(state, std::string(names->record) + " is no list: it has names, not numbers");
    return answer_nil(state);
  }
  const std::string name = lua_tostring(state, 2);
  if (name == "fail" && !lua_isnil(state, lua_upvalueindex(2))) {
    lua_pushvalue(state, lua_upvalueindex(2));
    return 1;
  }
  const bool known = !names || std::ranges::find(names->members, name) != names->members.end();
  if (!known) return raise(state, unknown(*names, name));
  return answer_nil(state);
}

void push_metatable(lua_State* state, const RecordNames* names) {
  lua_newtable(state);
  lua_insert(state, -2);
  lua_pushlightuserdata(state, const_cast<RecordNames*>(names));
  lua_insert(state, -2);
  lua_pushcclosure(state, &read_absent, 2);
  lua_setfield(state, -2, "__index");
  close_metatable(state);
}

/// In the registry, by the address of the names: records of one kind share a metatable.
void push_shared_metatable(lua_State* state, const RecordNames* names) {
  lua_pushlightuserdata(state, const_cast<RecordNames*>(names));
  lua_rawget(state, LUA_REGISTRYINDEX);
  if (!lua_isnil(state, -1)) return;
  push_metatable(state, names);
  lua_pushlightuserdata(state, const_cast<RecordNames*>(names));
  lua_pushvalue(state, -2);
  lua_rawset(state, LUA_REGISTRYINDEX);
}

}  // namespace

void make_record(lua_State* state, const RecordNames& names) {
  push_shared_metatable(state, &names);
  lua_setmetatable(state, -2);
}

void make_record_with_fail(lua_State* state, const RecordNames* names) {
  push_metatable(state, names);
  lua_setmetatable(state, -2);
}

}  // namespace ktstr::lua
