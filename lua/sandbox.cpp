#include "lua/sandbox.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "lua/prelude.h"
#include "lua/registry.h"
#include "lua/strict_tables.h"

namespace ktstr::lua {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kGlobals[] = {"_G",       "_VERSION",     "assert",       "bit",      "coroutine",
                                         "error",    "getmetatable", "ipairs",       "math",     "next",
                                         "pairs",    "pcall",        "print",        "rawequal", "rawget",
                                         "rawset",   "select",       "setmetatable", "string",   "table",
                                         "tonumber", "tostring",     "type",         "unpack",   "xpcall"};
constexpr std::string_view kString[] = {"byte",  "char",  "find", "format",  "gmatch", "gsub", "len",
                                        "lower", "match", "rep",  "reverse", "sub",    "upper"};
constexpr std::string_view kTable[] = {"concat", "foreach", "foreachi", "getn", "insert",
                                       "maxn",   "move",    "remove",   "sort"};
constexpr std::string_view kCoroutine[] = {"create", "isyieldable", "resume", "running",
                                           "status", "wrap",        "yield"};

constexpr char kMakeUint64 = 0;
constexpr char kMakeInt64 = 0;
constexpr std::uint64_t kLargestExact = 1ULL << 53;

void open_library(lua_State* state, const char* name, lua_CFunction open) {
  lua_pushcfunction(state, open);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

/// Keeps two functions that make 64-bit cdata from halves; the ffi library itself stays out of reach.
void keep_number_makers(lua_State* state) {
  constexpr std::string_view kMakers =
      "local ffi = ...\n"
      "local function maker(name)\n"
      "  local number = ffi.typeof(name)\n"
      "  return function(high, low) return number(high) * 4294967296LL + number(low) end\n"
      "end\n"
      "return maker('uint64_t'), maker('int64_t')\n";
  // Before the chunk is read: the parser opens ffi for an LL literal, and opened twice it loses its first
  // state.
  lua_pushcfunction(state, luaopen_ffi);
  lua_call(state, 0, 1);
  if (luaL_loadbuffer(state, kMakers.data(), kMakers.size(), "=makers") != 0) lua_error(state);
  lua_insert(state, -2);
  lua_call(state, 1, 2);
  set_registry(state, &kMakeInt64);
  set_registry(state, &kMakeUint64);
}

/// Removes what is not among `names` from the table at `index`, an absolute or pseudo index.
void keep_members(lua_State* state, int index, Names names) {
  lua_pushnil(state);
  while (lua_next(state, index) != 0) {
    lua_pop(state, 1);
    const char* name = lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : "";
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    lua_pushvalue(state, -1);
    lua_pushnil(state);
    lua_rawset(state, index);
  }
}

void keep_members(lua_State* state, const char* library, Names names) {
  lua_getglobal(state, library);
  keep_members(state, lua_gettop(state), names);
  lua_pop(state, 1);
}

/// Scripts may not change what the methods of strings are.
void close_string_metatable(lua_State* state) {
  lua_pushliteral(state, "");
  lua_getmetatable(state, -1);
  close_metatable(state);
  lua_pop(state, 2);
}

void push_made(lua_State* state, const char* maker, double high, double low) {
  push_registry(state, maker);
  lua_pushnumber(state, high);
  lua_pushnumber(state, low);
  lua_call(state, 2, 1);
}

}  // namespace

void open_sandbox(lua_State* state) {
  open_library(state, "", luaopen_base);
  open_library(state, LUA_TABLIBNAME, luaopen_table);
  open_library(state, LUA_STRLIBNAME, luaopen_string);
  open_library(state, LUA_MATHLIBNAME, luaopen_math);
  open_library(state, LUA_BITLIBNAME, luaopen_bit);
  keep_number_makers(state);
  run_prelude(state);
  keep_members(state, "string", kString);
  keep_members(state, "table", kTable);
  keep_members(state, "coroutine", kCoroutine);
  keep_members(state, LUA_GLOBALSINDEX, kGlobals);
  close_string_metatable(state);
  make_globals_strict(state);
}

void push_uint64(lua_State* state, unsigned long long value) {
  if (value <= kLargestExact) return lua_pushnumber(state, static_cast<double>(value));
  push_made(state, &kMakeUint64, static_cast<double>(value >> 32), static_cast<double>(value & 0xffffffff));
}

void push_int64(lua_State* state, long long value) {
  if (value >= -static_cast<long long>(kLargestExact) && value <= static_cast<long long>(kLargestExact))
    return lua_pushnumber(state, static_cast<double>(value));
  push_made(state, &kMakeInt64, static_cast<double>(value >> 32), static_cast<double>(value & 0xffffffff));
}

/// The C interface of Lua 5.1 knows no cdata; as text such a number has its digits and its kind: "5ULL".
std::optional<std::variant<std::int64_t, std::uint64_t>> to_integer64(lua_State* state, int index) {
  if (lua_type(state, index) != kCdataType || luaL_callmeta(state, index, "__tostring") == 0)
    return std::nullopt;
  std::size_t size = 0;
  const char* data = lua_tolstring(state, -1, &size);
  const std::string text(data ? data : "", data ? size : 0);
  lua_pop(state, 1);
  const auto parse = [&]<class T>(T value, std::string_view suffix) -> std::optional<T> {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && suffix == end ? std::optional(value) : std::nullopt;
  };
  if (const auto number = parse(std::uint64_t{}, "ULL")) return *number;
  if (const auto number = parse(std::int64_t{}, "LL")) return *number;
  return std::nullopt;
}

}  // namespace ktstr::lua
