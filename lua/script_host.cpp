#include "lua/script_host.h"

#include "engine/scenario/load.h"
#include "lua/constructors.h"
#include "lua/lines.h"
#include "lua/modules.h"
#include "lua/sources.h"
#include "lua/to_value.h"

namespace ktstr::lua {
namespace {

/// "file.lua:12: path: message", as far as it is known.
Error error_at(const LuaState& state, const ReadError& error) {
  auto place = state.chunk_file(chunk_of(error.line)) + ":";
  if (error.line != 0) place += std::to_string(line_of(error.line)) + ":";
  return {ErrorCode::kInvalidArgument, place + " " + error.text()};
}

/// Adds the string at `index`; false for anything else.
bool add_failure(lua_State* state, int index, std::vector<std::string>& failures) {
  if (lua_type(state, index) != LUA_TSTRING) return false;
  std::size_t size = 0;
  const char* text = lua_tolstring(state, index, &size);
  failures.emplace_back(text, size);
  return true;
}

/// What a hook returned, on top of the stack: nothing, a string, or a list of strings. False for anything
/// else.
bool add_returned(lua_State* state, std::vector<std::string>& failures) {
  if (lua_isnil(state, -1)) return true;
  if (lua_type(state, -1) != LUA_TTABLE) return add_failure(state, -1, failures);
  const auto count = lua_objlen(state, -1);
  for (std::size_t i = 1; i <= count; ++i) {
    lua_rawgeti(state, -1, static_cast<int>(i));
    if (!add_failure(state, -1, failures)) return false;
    lua_pop(state, 1);
  }
  return true;
}

/// report:fail("message")
int fail(lua_State* state) {
  auto& failures = *static_cast<std::vector<std::string>*>(lua_touserdata(state, lua_upvalueindex(1)));
  if (lua_gettop(state) != 2 || !add_failure(state, 2, failures))
    return luaL_error(state, "report:fail takes one string");
  return 0;
}

/// Where the function on top of the stack begins.
lua_Debug definition(lua_State* state) {
  lua_Debug place{};
  lua_pushvalue(state, -1);
  lua_getinfo(state, ">S", &place);
  return place;
}

/// Gives the report on top of the stack its method `fail`, beside its own members.
void add_fail_method(lua_State* state, std::vector<std::string>& failures) {
  lua_newtable(state);
  lua_newtable(state);
  lua_pushlightuserdata(state, &failures);
  lua_pushcclosure(state, &fail, 1);
  lua_setfield(state, -2, "fail");
  lua_setfield(state, -2, "__index");
  lua_setmetatable(state, -2);
}

bool is_scenario(lua_State* state) {
  if (lua_type(state, -1) != LUA_TTABLE) return false;
  const auto* constructor = stamp_of(state, -1).constructor;
  return constructor && constructor->family.empty() && constructor->name == "scenario";
}

}  // namespace

ScriptHost::ScriptHost(std::unique_ptr<LuaState> state, std::unique_ptr<ScriptSources> sources)
    : state_(std::move(state)), sources_(std::move(sources)) {}
ScriptHost::ScriptHost(ScriptHost&&) noexcept = default;
ScriptHost& ScriptHost::operator=(ScriptHost&&) noexcept = default;
ScriptHost::~ScriptHost() = default;

engine::ScriptReport ScriptHost::files() const {
  return sources_->files();
}

Result<ScriptHost> ScriptHost::load(const std::filesystem::path& file, const Limits& limits) {
  auto state = KTSTR_TRY(LuaState::create(limits));
  ScriptHost host(std::move(state), std::make_unique<ScriptSources>(file));
  const auto main = host.sources_->add_script(*host.state_);
  if (!main) return main.error();
  Value tree;
  KTSTR_TRY_STATUS(host.run_script(tree));
  auto scenario = engine::load_scenario(tree, engine::ProgramPlaces::of_script(file));
  if (!scenario) return error_at(*host.state_, scenario.error());
  host.scenario_ = std::move(*scenario);
  if (host.scenario_.name.empty()) host.scenario_.name = file.stem().string();
  return host;
}

Status ScriptHost::run_script(Value& tree) {
  constexpr int kMainChunk = 0;
  ReadStatus not_data;
  KTSTR_TRY_STATUS(state_->protected_call([&](lua_State* state) {
    install_require(state, *sources_);
    push_chunk(state, *sources_, kMainChunk);
    lua_call(state, 0, 1);
    if (!is_scenario(state)) {
      not_data = ReadError{"", std::string("expected the script to return k.scenario { ... }, got ") +
                                   luaL_typename(state, -1)};
      return;
    }
    const LocatorOf locator_of = [this](int chunk) -> const Locator& { return sources_->locator(chunk); };
    not_data = to_value(state, -1, locator_of, tree);
  }));
  if (not_data) return error_at(*state_, *not_data);
  return ok();
}

Result<std::vector<std::string>> ScriptHost::run_hook(const std::optional<Value::Function>& function,
                                                      const char* name,
                                                      const std::function<void(LuaSink&)>& write_argument) {
  std::vector<std::string> failures;
  if (!function) return failures;
  const auto outcome = state_->protected_call([&](lua_State* state) {
    lua_rawgeti(state, LUA_REGISTRYINDEX, function->reference);
    const auto hook = definition(state);
    LuaSink sink(state);
    write_argument(sink);
    add_fail_method(state, failures);
    lua_call(state, 1, 1);
    if (!add_returned(state, failures))
      luaL_error(state, "%s:%d: %s must return a string or a list of strings, not a %s", hook.short_src,
                 hook.linedefined, name, luaL_typename(state, -1));
  });
  for (auto& failure : failures) failure = state_->readable(std::move(failure));
  if (!outcome) failures.push_back(outcome.error().message);
  return failures;
}

}  // namespace ktstr::lua
