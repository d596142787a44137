#include "lua/prelude.h"

#include <cctype>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "lua/pattern.h"
#include "lua/state.h"

namespace ktstr::lua {
namespace {

std::string_view text_at(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

/// Where argument `index` (1 when absent, negative from the end) says to begin, from 0.
std::size_t begin_at(lua_State* state, int index, std::size_t size) {
  const double wanted = luaL_optnumber(state, index, 1);
  const double length = static_cast<double>(size);
  const double from_front = wanted < 0 ? wanted + length : wanted - 1;
  if (!(from_front > 0)) return 0;
  return from_front > length ? size : static_cast<std::size_t>(from_front);
}

/// Pushes a capture; raises an error when there is no room.
void push_capture(lua_State* state, std::string_view subject, const PatternMatch::Capture& capture) {
  if (capture.is_position)
    lua_pushinteger(state, static_cast<lua_Integer>(capture.begin + 1));
  else
    lua_pushlstring(state, subject.data() + capture.begin, capture.size);
}

int push_captures(lua_State* state, std::string_view subject, const PatternMatch& match) {
  luaL_checkstack(state, static_cast<int>(match.capture_count) + 2, "too many captures");
  for (std::size_t i = 0; i < match.capture_count; ++i) push_capture(state, subject, match.captures[i]);
  return static_cast<int>(match.capture_count);
}

void push_range(lua_State* state, std::size_t begin, std::size_t end) {
  lua_pushinteger(state, static_cast<lua_Integer>(begin + 1));
  lua_pushinteger(state, static_cast<lua_Integer>(end));
}

/// Looks for the pattern; raises what is wrong with it, and the end of a budget.
bool find_match(lua_State* state, std::string_view subject, std::string_view pattern, std::size_t from,
                bool anchor, PatternMatch& match) {
  auto& owner = LuaState::of(state);
  PatternMatcher matcher(subject, pattern, [&](std::uint64_t steps) { return owner.spend(state, steps); });
  auto found = matcher.find(from, anchor);
  if (!found && found.error().code == ErrorCode::kInvalidArgument) raise(state, found.error().message);
  if (!found) owner.end_call(state);
  if (*found) match = **found;
  return found->has_value();
}

bool is_plain(std::string_view pattern) {
  return pattern.find_first_of("^$*+?.([%-") == std::string_view::npos;
}

/// memmem() takes time in proportion to both lengths, whatever they hold.
int find_plain(lua_State* state, std::string_view subject, std::string_view text, std::size_t from) {
  if (!LuaState::of(state).spend(state, (subject.size() - from) / 64))
    return LuaState::of(state).end_call(state);
  const void* found = text.empty()
                          ? subject.data() + from
                          : memmem(subject.data() + from, subject.size() - from, text.data(), text.size());
  if (!found) return answer_nil(state);
  const auto begin = static_cast<std::size_t>(static_cast<const char*>(found) - subject.data());
  push_range(state, begin, begin + text.size());
  return 2;
}

}  // namespace

int string_find(lua_State* state) {
  const auto subject = text_at(state, 1);
  const auto pattern = text_at(state, 2);
  const auto from = begin_at(state, 3, subject.size());
  if (lua_toboolean(state, 4) != 0 || is_plain(pattern)) return find_plain(state, subject, pattern, from);
  PatternMatch match;
  if (!find_match(state, subject, pattern, from, true, match)) return answer_nil(state);
  push_range(state, match.begin, match.end);
  return 2 + push_captures(state, subject, match);
}

int string_match(lua_State* state) {
  const auto subject = text_at(state, 1);
  const auto pattern = text_at(state, 2);
  PatternMatch match;
  if (!find_match(state, subject, pattern, begin_at(state, 3, subject.size()), true, match))
    return answer_nil(state);
  if (match.capture_count > 0) return push_captures(state, subject, match);
  lua_pushlstring(state, subject.data() + match.begin, match.end - match.begin);
  return 1;
}

int string_search(lua_State* state) {
  const auto subject = text_at(state, 1);
  const auto pattern = text_at(state, 2);
  PatternMatch match;
  if (!find_match(state, subject, pattern, begin_at(state, 3, subject.size()), lua_toboolean(state, 4) != 0,
                  match))
    return answer_nil(state);
  push_range(state, match.begin, match.end);
  return 2 + push_captures(state, subject, match);
}

int string_expand(lua_State* state) {
  constexpr int kFirstCapture = 3;
  const auto replacement = text_at(state, 1);
  const auto whole = text_at(state, 2);
  const int captures = lua_gettop(state) - kFirstCapture + 1;
  luaL_Buffer buffer;
  luaL_buffinit(state, &buffer);
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c != '%' || ++i >= replacement.size()) {
      luaL_addchar(&buffer, c);
      continue;
    }
    const char which = replacement[i];
    if (std::isdigit(static_cast<unsigned char>(which)) == 0) {
      luaL_addchar(&buffer, which);
    } else if (which == '0' || (which == '1' && captures == 0)) {
      luaL_addlstring(&buffer, whole.data(), whole.size());
    } else if (which - '1' < captures) {
      lua_pushvalue(state, kFirstCapture + (which - '1'));
      luaL_addvalue(&buffer);
    } else {
      return raise(state, "invalid capture index");
    }
  }
  luaL_pushresult(&buffer);
  return 1;
}

int string_conversions(lua_State* state) {
  const auto format = text_at(state, 1);
  luaL_Buffer buffer;
  luaL_buffinit(state, &buffer);
  for (auto at = format.find('%'); at != std::string_view::npos; at = format.find('%', at + 1)) {
    at = format.find_first_not_of("-+ #0123456789.", at + 1);
    if (at == std::string_view::npos) break;
    if (format[at] == 'p')
      return raise(state, "string.format: scripts have no \"%p\": addresses are not shown");
    if (format[at] != '%') luaL_addchar(&buffer, format[at]);
  }
  luaL_pushresult(&buffer);
  return 1;
}

}  // namespace ktstr::lua
