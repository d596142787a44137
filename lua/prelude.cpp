#include "lua/prelude.h"

#include <string_view>

#include "lua/prelude.h"
#include "lua/state.h"

namespace ktstr::lua {
namespace {

constexpr std::string_view kBasics = R"lua(
local native = ...
local type, error, pcall, rawget, select, byte = type, error, pcall, rawget, select, string.byte
local concat, raw_tostring = table.concat, tostring

-- LuaJIT runs xpcall's handler inside the failed call, where the count hook is off: an endless loop there would
-- have no end. This one runs it afterwards; the stack that it can't see is no loss without `debug`.
local function finish(handler, ok, ...)
  if ok then return true, ... end
  return false, handler(...)
end
function xpcall(f, handler, ...) return finish(handler, pcall(f, ...)) end

-- Kinds without an address.
local function text_of(value)
  local kind = type(value)
  if kind == "table" then
    local metatable = native.metatable(value)
    local convert = metatable and rawget(metatable, "__tostring")
    if convert ~= nil then return convert(value) end
    return kind
  end
  if kind == "function" or kind == "thread" or kind == "userdata" then return kind end
  local text = raw_tostring(value)
  if kind == "cdata" and byte(text) == 99 then return kind end  -- "cdata<...>: 0x..."
  return text
end
tostring = text_of

function native.shown(value, user)
  local text = text_of(value)
  local kind = type(text)
  if kind ~= "string" and kind ~= "number" then error("'tostring' must return a string to '" .. user .. "'", 3) end
  return text
end
local shown = native.shown

function print(...)
  local texts, count = {...}, select("#", ...)
  for i = 1, count do texts[i] = shown(texts[i], "print") end
  native.print(concat(texts, "\t", 1, count))
end

local create, resume = coroutine.create, native.resume
local function results(ok, ...)
  if ok then return ... end
  error((...), 0)
end
function coroutine.wrap(f)
  local thread = create(f)
  return function(...) return results(resume(thread, ...)) end
end
coroutine.resume = resume
)lua";

constexpr std::string_view kStrings = R"lua(
local native = ...
local type, error, select, unpack, tostring = type, error, select, unpack, tostring
local byte, sub, rep, format, concat = string.byte, string.sub, string.rep, string.format, table.concat
local search, expand, shown = native.search, native.expand, native.shown

string.find, string.match, string.gfind = native.find, native.match, nil

local function wrong(position, name, expected, value)
  error("bad argument #" .. position .. " to '" .. name .. "' (" .. expected .. " expected, got " .. type(value) .. ")", 3)
end
local function text(value, position, name)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return tostring(value) end
  return wrong(position, name, "string", value)
end

function string.rep(s, count, separator)
  if s == "" and (separator == nil or separator == "") then return "" end
  return rep(s, count, separator)
end

function string.format(pattern, ...)
  local kinds = native.conversions(text(pattern, 1, "format"))
  local values, count = {...}, select("#", ...)
  for i = 1, #kinds do
    if byte(kinds, i) == 115 and i <= count then values[i] = shown(values[i], "format") end  -- %s
  end
  return format(pattern, unpack(values, 1, count))
end

function string.gmatch(s, pattern)
  s, pattern = text(s, 1, "gmatch"), text(pattern, 2, "gmatch")
  local from = 1
  local function found(first, last, ...)
    if not first then
      from = #s + 2
      return nil
    end
    from = (last < first and first or last) + 1  -- an empty match moves on by one
    if select("#", ...) > 0 then return ... end
    return sub(s, first, last)
  end
  return function()
    if from > #s + 1 then return nil end
    return found(search(s, pattern, from))
  end
end

-- first, last and what stands there afterwards
local function replaced(s, by, kind, first, last, ...)
  if not first then return nil end
  local whole, value = sub(s, first, last), nil
  if kind == "string" then
    value = expand(by, whole, ...)
  else
    local capture = select("#", ...) > 0 and (...) or whole
    if kind == "table" then value = by[capture]
    elseif select("#", ...) > 0 then value = by(...)
    else value = by(whole) end
  end
  if not value then return first, last, whole end
  local got = type(value)
  if got ~= "string" and got ~= "number" then error("invalid replacement value (a " .. got .. ")", 3) end
  return first, last, value
end

function string.gsub(s, pattern, by, most)
  s, pattern = text(s, 1, "gsub"), text(pattern, 2, "gsub")
  local kind = type(by)
  if kind == "number" then by, kind = tostring(by), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    wrong(3, "gsub", "string/function/table", by)
  end
  if most ~= nil and type(most) ~= "number" then wrong(4, "gsub", "number", most) end
  most = most or #s + 1
  local anchored = byte(pattern) == 94  -- ^
  local parts, size, from, count = {}, 0, 1, 0
  while count < most and from <= #s + 1 do
    local first, last, value = replaced(s, by, kind, search(s, pattern, from, true))
    if not first then break end
    count = count + 1
    local behind = last < first and first or last  -- an empty match keeps the character behind it
    parts[size + 1], parts[size + 2], parts[size + 3] = sub(s, from, first - 1), value, sub(s, last + 1, behind)
    size, from = size + 3, behind + 1
    if anchored then break end
  end
  parts[size + 1] = sub(s, from)
  return concat(parts), count
end
)lua";

constexpr std::string_view kTables = R"lua(
local type, error, select, floor, min = type, error, select, math.floor, math.min

local function check_table(value, name)
  if type(value) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(value) .. ")", 3)
  end
end

local function ascending(a, b) return a < b end

-- Whether "<" takes all values, which are then numbers or texts; another kind may have an order of its own.
local function check_comparable(list, count)
  local kind = type(list[1])
  for i = 2, count do
    local other = type(list[i])
    if other ~= kind and (kind == "string" or other == "string" or other == "nil") then
      error("attempt to compare " .. kind .. " with " .. other, 3)
    end
  end
end

-- Merges runs of 1, 2, 4 ... values. LuaJIT's quicksort takes quadratic time for some lists, inside one call.
function table.sort(list, before)
  check_table(list, "sort")
  if before ~= nil and type(before) ~= "function" then
    error("bad argument #2 to 'sort' (function expected, got " .. type(before) .. ")", 2)
  end
  local count = #list
  if before == nil then check_comparable(list, count) end
  before = before or ascending
  local from, to, width = list, {}, 1
  while width < count do
    for left = 1, count, 2 * width do
      local middle, behind = min(left + width, count + 1), min(left + 2 * width, count + 1)
      local i, j = left, middle
      for at = left, behind - 1 do
        if i < middle and (j >= behind or not before(from[j], from[i])) then
          to[at], i = from[i], i + 1
        else
          to[at], j = from[j], j + 1
        end
      end
    end
    from, to, width = to, from, width * 2
  end
  if from ~= list then
    for i = 1, count do list[i] = from[i] end
  end
end

function table.insert(list, ...)
  check_table(list, "insert")
  local count, last = select("#", ...), #list + 1
  if count == 1 then
    list[last] = (...)
    return
  end
  if count ~= 2 then error("wrong number of arguments to 'insert'", 2) end
  local position, value = ...
  if type(position) ~= "number" then
    error("bad argument #2 to 'insert' (number expected, got " .. type(position) .. ")", 2)
  end
  position = floor(position)
  if not (position >= 1) then error("bad argument #2 to 'insert' (position " .. position .. " is below 1)", 2) end
  for i = last, position + 1, -1 do list[i] = list[i - 1] end
  list[position] = value
end
)lua";

/// metatable(value), whatever the metatable says of itself; for the prelude alone.
int metatable(lua_State* state) {
  if (lua_getmetatable(state, 1) == 0) lua_pushnil(state);
  return 1;
}

int print(lua_State* state) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, 1, &size);
  LuaState::of(state).print({text, size});
  return 0;
}

/// coroutine.resume: LuaJIT runs a coroutine on the C stack of the one that resumes it.
int resume(lua_State* state) {
  const LuaState::Nested nested(LuaState::of(state));
  if (nested.too_deep()) return raise(state, "coroutines are nested deeper than the sandbox allows");
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, lua_gettop(state) - 1, LUA_MULTRET);
  return lua_gettop(state);
}

void push_native(lua_State* state) {
  const luaL_Reg functions[] = {{"metatable", &metatable},
                                {"print", &print},
                                {"find", &string_find},
                                {"match", &string_match},
                                {"search", &string_search},
                                {"expand", &string_expand},
                                {"conversions", &string_conversions}};
  lua_newtable(state);
  for (const auto& [name, function] : functions) {
    lua_pushcfunction(state, function);
    lua_setfield(state, -2, name);
  }
  lua_getglobal(state, "coroutine");
  lua_getfield(state, -1, "resume");
  lua_remove(state, -2);
  lua_pushcclosure(state, &resume, 1);
  lua_setfield(state, -2, "resume");
}

}  // namespace

void run_prelude(lua_State* state) {
  push_native(state);
  for (const auto chunk : {kBasics, kStrings, kTables}) {
    if (luaL_loadbuffer(state, chunk.data(), chunk.size(), "=sandbox") != 0) lua_error(state);
    lua_pushvalue(state, -2);
    lua_call(state, 1, 0);
  }
  lua_pop(state, 1);
}

}  // namespace ktstr::lua
