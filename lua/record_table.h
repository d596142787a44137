// Tables of described records: reading a name that the record does not have is an error, and absent members
// are nil.
#pragma once

#include <lua.hpp>

#include "engine/base/write.h"

namespace ktstr::lua {

/// Makes the table on top of the stack such a record. `names` must outlive the state.
void make_record(lua_State* state, const RecordNames& names);

/// The same for the table below the top of the stack; the function on top, which is popped, is its method
/// "fail". `names` nullptr: a table of any names.
void make_record_with_fail(lua_State* state, const RecordNames* names);

}  // namespace ktstr::lua
