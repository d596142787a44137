// What C++ keeps in a Lua state's registry, by the address of a key of its own.
#pragma once

#include <lua.hpp>

namespace ktstr::lua {

/// Pushes registry[key].
inline void push_registry(lua_State* state, const void* key) {
  lua_pushlightuserdata(state, const_cast<void*>(key));
  lua_rawget(state, LUA_REGISTRYINDEX);
}

/// Sets registry[key] to the value on top of the stack and pops it.
inline void set_registry(lua_State* state, const void* key) {
  lua_pushlightuserdata(state, const_cast<void*>(key));
  lua_insert(state, -2);
  lua_rawset(state, LUA_REGISTRYINDEX);
}

/// Pushes registry[key][the value at `index`].
inline void push_for(lua_State* state, const void* key, int index) {
  lua_pushvalue(state, index);
  push_registry(state, key);
  lua_insert(state, -2);
  lua_rawget(state, -2);
  lua_remove(state, -2);
}

/// Sets registry[key][the value below the top] to the value on top of the stack and pops it.
inline void set_for_top(lua_State* state, const void* key) {
  push_registry(state, key);
  lua_pushvalue(state, -3);
  lua_pushvalue(state, -3);
  lua_rawset(state, -3);
  lua_pop(state, 2);
}

/// registry[key] = a table that does not keep its keys alive.
inline void make_weak_registry(lua_State* state, const void* key) {
  lua_newtable(state);
  lua_newtable(state);
  lua_pushliteral(state, "k");
  lua_setfield(state, -2, "__mode");
  lua_setmetatable(state, -2);
  set_registry(state, key);
}

}  // namespace ktstr::lua
