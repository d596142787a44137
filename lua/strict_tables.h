// Tables in which reading a misspelt name is an error: those of functions, the globals, and described
// records, whose absent members are nil.
#pragma once

#include <lua.hpp>
#include <string>

#include "engine/base/write.h"

namespace ktstr::lua {

/// From now on, reading a name that the table on top of the stack does not have raises an error with the
/// nearest that it has: "TABLE has no \"NAME\" (did you mean ...?)".
void refuse_unknown_names(lua_State* state, const std::string& table);

/// Hides the metatable on top of the stack from scripts: getmetatable() gives false, and setmetatable() is an
/// error.
void close_metatable(lua_State* state);

/// " (did you mean \"x\"?)" for the string key nearest to `name` in the table at `index`, or "". Leaves the
/// stack as it is.
[[nodiscard]] std::string nearest_key(lua_State* state, int index, const std::string& name);

/// From now on a global that is neither there nor was ever assigned is an error when it is read: with the
/// nearest name, or with the reason why the sandbox has no such thing (io, os, ffi ...). Assigning declares.
/// May raise Lua errors.
void make_globals_strict(lua_State* state);

/// Why a script can't have what Lua calls `name`; nullptr for anything that is not Lua's.
[[nodiscard]] const char* reason_left_out(const char* name);

/// Makes the table on top of the stack such a record. `names` must outlive the state.
void make_record(lua_State* state, const RecordNames& names);

/// The same for the table below the top of the stack; the function on top, which is popped, is its method
/// "fail". `names` nullptr: a table of any names.
void make_record_with_fail(lua_State* state, const RecordNames* names);

}  // namespace ktstr::lua
