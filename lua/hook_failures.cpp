#include "lua/hook_failures.h"

#include <algorithm>
#include <utility>

#include "engine/base/printable.h"
#include "engine/base/utf8.h"
#include "lua/raise.h"
#include "lua/state.h"

namespace ktstr::lua {
namespace {

constexpr std::size_t kMostKept = 100;
constexpr std::size_t kLongestKept = 4 << 10;

/// Reports are UTF-8; a byte that is none of it is shown as "\xff".
std::string as_utf8(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    const auto size = first_character(text).size;
    made += size > 0 ? std::string(text.substr(0, size)) : printable(text.substr(0, 1));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return made;
}

}  // namespace

void HookFailures::begin() {
  texts_.clear();
  error_.clear();
  left_out_ = 0;
  hook_ += hook_ % 2 == 0 ? 1 : 2;
}

std::vector<std::string> HookFailures::end() {
  ++hook_;
  if (left_out_ > 0) texts_.push_back("and " + std::to_string(left_out_) + " more failures");
  if (!error_.empty()) texts_.push_back(std::exchange(error_, {}));
  return std::exchange(texts_, {});
}

void HookFailures::add(lua_State* state, std::string_view text) {
  if (texts_.size() >= kMostKept) {
    ++left_out_;
    return;
  }
  texts_.push_back(as_utf8(cut_text(LuaState::of(state).readable(text), kLongestKept)));
}

void HookFailures::add_error(std::string message) {
  error_ = as_utf8(cut_text(std::move(message), kLongestKept));
}

bool HookFailures::add_string(lua_State* state, int index) {
  if (lua_type(state, index) != LUA_TSTRING) return false;
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  add(state, {text, size});
  return true;
}

bool HookFailures::add_returned(lua_State* state, const char* name) {
  if (lua_isnil(state, -1)) return true;
  if (lua_isboolean(state, -1)) {
    if (lua_toboolean(state, -1) == 0) add(state, std::string(name) + " returned false");
    return true;
  }
  if (lua_type(state, -1) != LUA_TTABLE) return add_string(state, -1);
  const auto count = lua_objlen(state, -1);
  for (std::size_t i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, static_cast<int>(i));
    if (!add_string(state, -1)) return false;
    lua_pop(state, 1);
  }
  return true;
}

/// fail(it, "message"); upvalues: the failures, the number of the hook it belongs to.
int HookFailures::fail(lua_State* state) {
  auto& failures = *static_cast<HookFailures*>(lua_touserdata(state, lua_upvalueindex(1)));
  const auto hook = static_cast<std::uint64_t>(lua_tonumber(state, lua_upvalueindex(2)));
  if (hook != failures.hook_) return raise(state, "fail: the hook is over");
  if (lua_gettop(state) != 2 || lua_type(state, 1) != LUA_TTABLE || !failures.add_string(state, 2))
    return raise(state, "report:fail takes one string: report:fail(\"message\")");
  return 0;
}

void HookFailures::push_fail(lua_State* state) {
  lua_pushlightuserdata(state, this);
  lua_pushnumber(state, static_cast<lua_Number>(hook_));
  lua_pushcclosure(state, &HookFailures::fail, 2);
}

}  // namespace ktstr::lua
