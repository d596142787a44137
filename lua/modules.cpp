#include "lua/modules.h"

#include <string>
#include <utility>

#include "lua/constructors.h"
#include "lua/ctprof_module.h"
#include "lua/duplicate_keys.h"
#include "lua/raise.h"
#include "lua/state.h"
#include "lua/strict_globals.h"

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
  if (lua_type(state, 1) != LUA_TSTRING) return raise(state, "require takes a module's name");
  lua_settop(state, 1);
  lua_pushvalue(state, 1);
  lua_rawget(state, lua_upvalueindex(2));
  std::size_t size = 0;
  const char* text = lua_tolstring(state, 1, &size);
  const std::string name(text, size);
  if (lua_touserdata(state, -1) == &kLoading)
    return raise(state, "require \"" + name + "\": the module requires itself");
  if (!lua_isnil(state, -1)) return 1;
  if (const auto* reason = reason_left_out(name.c_str()))
    return raise(state, "require \"" + name + "\": the sandbox has no " + name + ": " + reason);
  const LuaState::Nested nested(LuaState::of(state));
  if (nested.too_deep()) return raise(state, "require \"" + name + "\": modules are nested too deep");
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

/// A key that stands twice in one literal: all of them in one message, a line each.
void refuse_duplicate_keys(lua_State* state, ScriptSources& sources, int chunk) {
  std::string message;
  for (const auto& [key, first_line, line] : duplicate_keys(sources.locator(chunk).tokens()))
    message += (message.empty() ? "" : "\n") + LuaState::prefix({chunk, line}) + "\"" + key +
               "\" is set twice in this table (first on line " + std::to_string(first_line) + ")";
  if (message.empty()) return;
  lua_pushlstring(state, message.data(), message.size());
  lua_error(state);
}

}  // namespace

void push_chunk(lua_State* state, ScriptSources& sources, int chunk) {
  struct Rest {
    const std::string* text;
  } rest{&sources.text(chunk)};
  const auto read = [](lua_State*, void* data, std::size_t* size) -> const char* {
    const auto* text = std::exchange(static_cast<Rest*>(data)->text, nullptr);
    *size = text ? text->size() : 0;
    return text ? text->data() : nullptr;
  };
  if (lua_loadx(state, read, &rest, LuaState::chunk_name(chunk).c_str(), "t") != 0) lua_error(state);
  refuse_duplicate_keys(state, sources, chunk);
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
