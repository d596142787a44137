// What of Lua's standard library a script may see.
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <optional>
#include <variant>

namespace ktstr::lua {

/// Opens the libraries, removes every global and library function that is not on the list of allowed ones,
/// and puts bounded ones in place of those that have no bound (prelude.h). May raise Lua errors.
void open_sandbox(lua_State* state);

/// Pushes an exact 64-bit number: a Lua number up to 2^53, LuaJIT's uint64_t or int64_t cdata beyond.
void push_uint64(lua_State* state, unsigned long long value);
void push_int64(lua_State* state, long long value);

/// LuaJIT's type of 64-bit numbers (lj_obj.h: LUA_TCDATA), which lua.h has no name for.
inline constexpr int kCdataType = 10;
/// The uint64_t or int64_t cdata at `index`; nullopt for any other cdata. May raise Lua errors.
[[nodiscard]] std::optional<std::variant<std::int64_t, std::uint64_t>> to_integer64(lua_State* state,
                                                                                    int index);

}  // namespace ktstr::lua
