// From Lua tables to a Value tree whose members know their source lines.
#pragma once

#include <functional>
#include <lua.hpp>

#include "engine/base/read.h"
#include "lua/locator.h"

namespace ktstr::lua {

/// Gives the locator of a chunk's source; the reference stays valid during the conversion.
using LocatorOf = std::function<const Locator&(int chunk)>;

/// Fills `out` from the value at `index`. Functions become registry references. k.step's list items become
/// its "ops". Errors: a table inside itself or nested deeper than 32, list items and names in one table, a
/// key or value that is no data (a userdata, a thread), more than 200 000 values or 4 MB of text. Lines are
/// encoded (state.h). May raise Lua errors. The stack is as before.
[[nodiscard]] ReadStatus to_value(lua_State* state, int index, const LocatorOf& locator_of, Value& out);

}  // namespace ktstr::lua
