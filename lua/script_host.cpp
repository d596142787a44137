#include "lua/script_host.h"

#include "engine/base/printable.h"
#include "engine/base/utf8.h"
#include "engine/scenario/load.h"
#include "lua/constructors.h"
#include "lua/hook_failures.h"
#include "lua/lines.h"
#include "lua/modules.h"
#include "lua/record_table.h"
#include "lua/sources.h"
#include "lua/to_value.h"

namespace ktstr::lua {
namespace {

constexpr std::size_t kLongestMistake = 4 << 10;

/// "file.lua:12: path: message", as far as it is known.
std::string line_of_error(const LuaState& state, const ReadError& error) {
  auto place = state.chunk_file(chunk_of(error.line)) + ":";
  if (error.line != 0) place += std::to_string(line_of(error.line)) + ":";
  return place + " " + printable(cut_text(error.text(), kLongestMistake));
}

/// All mistakes that were found, a line each.
Error error_at(const LuaState& state, const ReadError& error) {
  auto text = line_of_error(state, error);
  for (const auto& other : error.others) text += "\n" + line_of_error(state, other);
  if (error.left_out > 0) text += "\nand " + std::to_string(error.left_out) + " more mistakes";
  return {ErrorCode::kInvalidArgument, std::move(text)};
}

/// Where the function on top of the stack begins.
lua_Debug definition(lua_State* state) {
  lua_Debug place{};
  lua_pushvalue(state, -1);
  lua_getinfo(state, ">S", &place);
  return place;
}

bool is_scenario(lua_State* state) {
  if (lua_type(state, -1) != LUA_TTABLE) return false;
  const auto* constructor = stamp_of(state, -1).constructor;
  return constructor && constructor->family.empty() && constructor->name == "scenario";
}

}  // namespace

ScriptHost::ScriptHost(std::unique_ptr<LuaState> state, std::unique_ptr<ScriptSources> sources)
    : state_(std::move(state)), sources_(std::move(sources)), failures_(std::make_unique<HookFailures>()) {}
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
  KTSTR_TRY(host.run_script(tree));
  auto scenario = engine::load_scenario(tree, engine::ProgramPlaces::of_script(file));
  if (!scenario) return error_at(*host.state_, scenario.error());
  host.scenario_ = std::move(*scenario);
  if (host.scenario_.name.empty()) host.scenario_.name = file.stem().string();
  return host;
}

Status ScriptHost::run_script(Value& tree) {
  constexpr int kMainChunk = 0;
  ReadStatus not_data;
  KTSTR_TRY(state_->protected_call([&](lua_State* state) {
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
  if (!function) return std::vector<std::string>{};
  failures_->begin();
  const auto outcome = state_->protected_call([&](lua_State* state) {
    lua_rawgeti(state, LUA_REGISTRYINDEX, function->reference);
    const auto hook = definition(state);
    LuaSink sink(state);
    write_argument(sink);
    failures_->push_fail(state);
    make_record_with_fail(state, sink.root());
    lua_call(state, 1, 1);
    if (!failures_->add_returned(state, name))
      luaL_error(state, "%s:%d: %s must return a string, a list of strings, true or false, not a %s",
                 hook.short_src, hook.linedefined, name, luaL_typename(state, -1));
  });
  if (!outcome) failures_->add_error(outcome.error().message);
  auto failures = failures_->end();
  if (!outcome && outcome.error().code == ErrorCode::kCancelled) return outcome.error();
  return failures;
}

void ScriptHost::stop_when_readable(int fd) {
  state_->stop_when_readable(fd);
}

void ScriptHost::print_with(std::function<void(std::string_view)> printer) {
  state_->print_with(std::move(printer));
}

}  // namespace ktstr::lua
