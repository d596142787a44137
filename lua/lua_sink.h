// LuaSink: RapidJSON's SAX events, made into Lua values on the stack.
#pragma once

#include <rapidjson/rapidjson.h>

#include <cstdint>
#include <lua.hpp>
#include <vector>

#include "lua/sandbox.h"
#include "lua/strict_tables.h"

namespace ktstr::lua {

/// After the events of one value it is on top of the stack. Null leaves a member out; in a list, and alone,
/// it is nil. Numbers beyond 2^53 become LuaJIT's 64-bit cdata. May raise Lua errors.
class LuaSink {
 public:
  explicit LuaSink(lua_State* state) : state_(state) {}

  bool Null() { return add(lua_pushnil); }
  bool Bool(bool value) { return add(lua_pushboolean, value ? 1 : 0); }
  bool Int64(std::int64_t value) { return add(push_int64, value); }
  bool Uint64(std::uint64_t value) { return add(push_uint64, value); }
  bool Double(double value) { return add(lua_pushnumber, value); }
  bool String(const char* text, rapidjson::SizeType size, bool) { return add(lua_pushlstring, text, size); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    lua_pushlstring(state_, text, size);
    return true;
  }
  bool StartObject() { return open(0); }
  /// An object in which a name that the record does not have is an error (strict_tables.h).
  bool StartRecord(const RecordNames& names) {
    if (next_index_.empty()) root_ = &names;
    open(0);
    make_record(state_, names);
    return true;
  }
  bool StartArray() { return open(1); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  /// The record that the outermost object is; nullptr for any other value.
  [[nodiscard]] const RecordNames* root() const { return root_; }

 private:
  bool open(int first_index) {
    luaL_checkstack(state_, 8, "the report is nested too deep");
    lua_newtable(state_);
    next_index_.push_back(first_index);
    return true;
  }
  bool close() {
    next_index_.pop_back();
    return add_top();
  }
  /// What `push` pushes, added.
  template <class... Parameters, class... Arguments>
  bool add(void (*push)(lua_State*, Parameters...), Arguments... arguments) {
    push(state_, arguments...);
    return add_top();
  }
  /// Puts the value on top into the container below it (and its key, in an object).
  bool add_top() {
    if (next_index_.empty()) return true;
    if (auto& index = next_index_.back(); index > 0)
      lua_rawseti(state_, -2, index++);
    else
      lua_rawset(state_, -3);
    return true;
  }

  lua_State* state_;
  const RecordNames* root_ = nullptr;
  std::vector<int> next_index_;  ///< of each open container; 0 for an object
};

}  // namespace ktstr::lua
