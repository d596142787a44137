#include "lua/strict_globals.h"

#include <string>

#include "lua/raise.h"
#include "lua/strict_table.h"

namespace ktstr::lua {
namespace {

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

}  // namespace

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

}  // namespace ktstr::lua
