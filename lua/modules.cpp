#include "lua/modules.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "engine/base/io.h"
#include "engine/base/sha256.h"
#include "lua/constructors.h"
#include "lua/locator.h"
#include "lua/state.h"
#include "lua/strict_tables.h"

namespace ktstr::lua {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestSource = 1 << 20;
constexpr std::size_t kMostSources = 500;
constexpr std::size_t kMostSourceBytes = 16 << 20;

Result<std::string> read_source(const fs::path& file, const std::string& shown) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (error || !fs::exists(status)) return Error{ErrorCode::kNotFound, shown + ": no such file"};
  if (!fs::is_regular_file(status)) return invalid_argument(shown + ": not a file");
  auto content = read_file(file, kLargestSource);
  if (!content) return Error{ErrorCode::kIo, shown + ": can't be read"};
  if (content->truncated) return invalid_argument(shown + ": a script may have at most 1 MB");
  return std::move(content->text);
}

/// "a.b" as a/b.lua; an empty path for what is no module name.
fs::path module_path(const std::string& name) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  const bool dots_join =
      !name.empty() && name.front() != '.' && name.back() != '.' && name.find("..") == std::string::npos;
  if (!dots_join || !std::all_of(name.begin(), name.end(), is_part)) return {};
  auto path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  return path + ".lua";
}

bool lies_inside(const fs::path& file, const fs::path& directory) {
  const auto [end, unused] = std::mismatch(directory.begin(), directory.end(), file.begin(), file.end());
  return end == directory.end();
}

/// Kept in place of a module while it runs, to find modules that require each other.
constexpr char kLoading = 0;

ScriptSources& bound_sources(lua_State* state) {
  return *static_cast<ScriptSources*>(lua_touserdata(state, lua_upvalueindex(1)));
}

void mark_as_loading(lua_State* state) {
  lua_pushvalue(state, 1);
  lua_pushlightuserdata(state, const_cast<char*>(&kLoading));
  lua_rawset(state, lua_upvalueindex(2));
}

/// require(name); upvalues: the sources, the table of loaded modules.
int require(lua_State* state) {
  if (lua_type(state, 1) != LUA_TSTRING) return raise(state, "require takes a module's name");
  lua_settop(state, 1);
  lua_pushvalue(state, 1);
  lua_rawget(state, lua_upvalueindex(2));
  std::size_t size = 0;
  const char* text = lua_tolstring(state, 1, &size);
  const std::string name(text, size);
  if (lua_touserdata(state, -1) == &kLoading)
    return raise(state, "require \"" + name + "\": the module requires itself");
  if (!lua_isnil(state, -1)) return 1;
  if (const auto* reason = reason_left_out(name.c_str()))
    return raise(state, "require \"" + name + "\": the sandbox has no " + name + ": " + reason);
  const LuaState::Nested nested(LuaState::of(state));
  if (nested.too_deep()) return raise(state, "require \"" + name + "\": modules are nested too deep");
  auto& sources = bound_sources(state);
  const auto chunk = sources.add_module(LuaState::of(state), name);
  if (!chunk) return raise(state, chunk.error().message);
  mark_as_loading(state);
  push_chunk(state, sources, *chunk);
  lua_call(state, 0, 1);
  if (lua_isnil(state, -1)) {
    lua_pop(state, 1);
    lua_pushboolean(state, 1);
  }
  lua_pushvalue(state, 1);
  lua_pushvalue(state, -2);
  lua_rawset(state, lua_upvalueindex(2));
  return 1;
}

/// A key that stands twice in one literal: all of them in one message, a line each.
void refuse_duplicate_keys(lua_State* state, ScriptSources& sources, int chunk) {
  std::string message;
  for (const auto& [key, first_line, line] : duplicate_keys(sources.locator(chunk).tokens()))
    message += (message.empty() ? "" : "\n") + LuaState::prefix({chunk, line}) + "\"" + key +
               "\" is set twice in this table (first on line " + std::to_string(first_line) + ")";
  if (message.empty()) return;
  lua_pushlstring(state, message.data(), message.size());
  lua_error(state);
}

}  // namespace

Result<int> ScriptSources::add_script(LuaState& state) {
  return add(state, script_, script_.string());
}

Result<int> ScriptSources::add_module(LuaState& state, const std::string& name) {
  const auto relative = module_path(name);
  if (relative.empty())
    return invalid_argument("require \"" + name +
                            "\": not a module name such as \"helpers\" or \"lib.helpers\"");
  const auto file = script_.parent_path() / relative;
  std::error_code error;
  const auto real = fs::canonical(file, error);
  if (error)
    return Error{ErrorCode::kNotFound,
                 "require \"" + name + "\": no file " + file.string() + " beside the script"};
  const auto directory = fs::canonical(script_.parent_path().empty() ? "." : script_.parent_path(), error);
  if (error || !lies_inside(real, directory))
    return invalid_argument("require \"" + name + "\": " + file.string() +
                            " leads out of the script's directory");
  return add(state, real, file.string());
}

const Locator& ScriptSources::locator(int chunk) {
  auto& source = *sources_[static_cast<std::size_t>(chunk)];
  if (!source.locator) source.locator = std::make_unique<Locator>(source.text);
  return *source.locator;
}

engine::ScriptReport ScriptSources::files() const {
  engine::ScriptReport report{script_.string(), {}, {}};
  for (const auto& source : sources_) {
    auto digest = sha256(source->text);
    if (&source == &sources_.front())
      report.sha256 = std::move(digest);
    else
      report.modules.push_back({source->shown, std::move(digest)});
  }
  return report;
}

Result<int> ScriptSources::add(LuaState& state, const fs::path& file, const std::string& shown) {
  if (sources_.size() >= kMostSources)
    return invalid_argument(shown + ": a script may have at most " + std::to_string(kMostSources) +
                            " modules");
  auto text = KTSTR_TRY(read_source(file, shown));
  bytes_ += text.size();
  if (bytes_ > kMostSourceBytes)
    return invalid_argument(shown + ": a script and its modules may have at most 16 MB");
  sources_.push_back(std::make_unique<Source>(Source{shown, std::move(text), nullptr}));
  return state.add_chunk(shown);
}

void push_chunk(lua_State* state, ScriptSources& sources, int chunk) {
  struct Rest {
    const std::string* text;
  } rest{&sources.text(chunk)};
  const auto read = [](lua_State*, void* data, std::size_t* size) -> const char* {
    const auto* text = std::exchange(static_cast<Rest*>(data)->text, nullptr);
    *size = text ? text->size() : 0;
    return text ? text->data() : nullptr;
  };
  if (lua_loadx(state, read, &rest, LuaState::chunk_name(chunk).c_str(), "t") != 0) lua_error(state);
  refuse_duplicate_keys(state, sources, chunk);
}

void install_require(lua_State* state, ScriptSources& sources) {
  lua_pushlightuserdata(state, &sources);
  lua_newtable(state);
  push_module(state);
  lua_setfield(state, -2, "ktstr");
  push_ctprof_module(state);
  lua_setfield(state, -2, "ktstr.ctprof");
  lua_pushcclosure(state, &require, 2);
  lua_setglobal(state, "require");
}

}  // namespace ktstr::lua
