#include "lua/strict_tables.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/nearest.h"
#include "lua/registry.h"
#include "lua/state.h"

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

struct LeftOut {
  const char* name;
  const char* reason;
};
constexpr const char* kNoHost = "a script can't reach the host's files, processes or clocks";
constexpr const char* kNoMemory = "a script can't reach the host's memory";
constexpr const char* kNoCode = "a script can't make code out of text; require reads files beside the script";
constexpr const char* kNoInsides = "a script can't reach the insides of the interpreter";
constexpr LeftOut kLeftOut[] = {
    {"io", kNoHost},        {"os", kNoHost},         {"ffi", kNoMemory},      {"debug", kNoInsides},
    {"jit", kNoInsides},    {"package", kNoCode},    {"load", kNoCode},       {"loadstring", kNoCode},
    {"loadfile", kNoCode},  {"dofile", kNoCode},     {"module", kNoCode},     {"collectgarbage", kNoInsides},
    {"gcinfo", kNoInsides}, {"getfenv", kNoInsides}, {"setfenv", kNoInsides}, {"newproxy", kNoInsides},
};

/// __index of the globals; upvalue: the table of names that were assigned.
int read_undeclared(lua_State* state) {
  lua_settop(state, 2);
  lua_pushvalue(state, 2);
  lua_rawget(state, lua_upvalueindex(1));
  if (lua_toboolean(state, -1) != 0 || lua_type(state, 2) != LUA_TSTRING) return answer_nil(state);
  const std::string name = lua_tostring(state, 2);
  if (const auto* reason = reason_left_out(name.c_str()))
    return raise(state, "the sandbox has no " + name + ": " + reason);
  return raise(state, "undeclared global \"" + name + "\"" + nearest_key(state, LUA_GLOBALSINDEX, name));
}

/// __newindex of the globals.
int declare(lua_State* state) {
  lua_settop(state, 3);
  if (lua_isnil(state, 2) || lua_rawequal(state, 2, 2) == 0)
    return raise(state, "a global's name is nil or NaN");
  if (lua_type(state, 2) == LUA_TSTRING) {
    lua_pushvalue(state, 2);
    lua_pushboolean(state, 1);
    lua_rawset(state, lua_upvalueindex(1));
  }
  lua_rawset(state, LUA_GLOBALSINDEX);
  return 0;
}

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
  push_registry(state, names);
  if (!lua_isnil(state, -1)) return;
  push_metatable(state, names);
  lua_pushvalue(state, -1);
  set_registry(state, names);
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

const char* reason_left_out(const char* name) {
  for (const auto& [left_out, reason] : kLeftOut)
    if (std::string_view(left_out) == name) return reason;
  return nullptr;
}

void make_globals_strict(lua_State* state) {
  lua_newtable(state);  // names that were assigned
  lua_newtable(state);
  lua_pushvalue(state, -2);
  lua_pushcclosure(state, &read_undeclared, 1);
  lua_setfield(state, -2, "__index");
  lua_pushvalue(state, -2);
  lua_pushcclosure(state, &declare, 1);
  lua_setfield(state, -2, "__newindex");
  close_metatable(state);
  lua_setmetatable(state, LUA_GLOBALSINDEX);
  lua_pop(state, 1);
}

void make_record(lua_State* state, const RecordNames& names) {
  push_shared_metatable(state, &names);
  lua_setmetatable(state, -2);
}

void make_record_with_fail(lua_State* state, const RecordNames* names) {
  push_metatable(state, names);
  lua_setmetatable(state, -2);
}

}  // namespace ktstr::lua
