#include "lua/modules.h"

#include <string>
#include <utility>

#include "lua/constructors.h"
#include "lua/ctprof_module.h"
#include "lua/raise.h"

namespace ktstr::lua {
namespace {

/// Kept in place of a module while it runs, to find modules that require each other.
constexpr char kLoading = 0;

ScriptSources& bound_sources(lua_State* state) {
  return *static_cast<ScriptSources*>(lua_touserdata(state, lua_upvalueindex(1)));
}

void mark_as_loading(lua_State* state) {
  lua_pushvalue(state, 1);
  lua_pushlightuserdata(state, const_cast<char*>(&kLoading));
  lua_rawset(state, lua_upvalueindex(2));
}

/// require(name); upvalues: the sources, the table of loaded modules.
int require(lua_State* state) {
  luaL_checktype(state, 1, LUA_TSTRING);
  lua_settop(state, 1);
  lua_pushvalue(state, 1);
  lua_rawget(state, lua_upvalueindex(2));
  std::size_t size = 0;
  const char* text = lua_tolstring(state, 1, &size);
  const std::string name(text, size);
  if (lua_touserdata(state, -1) == &kLoading)
    return raise(state, "require \"" + name + "\": the module requires itself");
  if (!lua_isnil(state, -1)) return 1;
  auto& sources = bound_sources(state);
  const auto chunk = sources.add_module(LuaState::of(state), name);
  if (!chunk) return raise(state, chunk.error().message);
  mark_as_loading(state);
  push_chunk(state, sources, *chunk);
  lua_call(state, 0, 1);
  if (lua_isnil(state, -1)) lua_pop(state, 1), lua_pushboolean(state, 1);
  lua_pushvalue(state, 1);
  lua_pushvalue(state, -2);
  lua_rawset(state, lua_upvalueindex(2));
  return 1;
}

}  // namespace

void push_chunk(lua_State* state, const ScriptSources& sources, int chunk) {
  struct Rest {
    const std::string* text;
  } rest{&sources.text(chunk)};
  const auto read = [](lua_State*, void* data, std::size_t* size) -> const char* {
    const auto* text = std::exchange(static_cast<Rest*>(data)->text, nullptr);
    *size = text ? text->size() : 0;
    return text ? text->data() : nullptr;
  };
  if (lua_loadx(state, read, &rest, LuaState::chunk_name(chunk).c_str(), "t") != 0) lua_error(state);
}

void install_require(lua_State* state, ScriptSources& sources) {
  lua_pushlightuserdata(state, &sources);
  lua_newtable(state);
  push_module(state);
  lua_setfield(state, -2, "ktstr");
  push_ctprof_module(state);
  lua_setfield(state, -2, "ktstr.ctprof");
  lua_pushcclosure(state, &require, 2);
  lua_setglobal(state, "require");
}

}  // namespace ktstr::lua
