// Reading a global that nothing has declared is an error.
#pragma once

#include <lua.hpp>

namespace ktstr::lua {

/// From now on a global that is neither there nor was ever assigned is an error when it is read: with the
/// nearest name, or with the reason why the sandbox has no such thing (io, os, ffi ...). Assigning declares.
/// May raise Lua errors.
void make_globals_strict(lua_State* state);

/// Why a script can't have what Lua calls `name`; nullptr for anything that is not Lua's.
[[nodiscard]] const char* reason_left_out(const char* name);

}  // namespace ktstr::lua
