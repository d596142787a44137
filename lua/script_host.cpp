#include "lua/script_host.h"

#include "engine/base/printable.h"
#include "engine/base/utf8.h"
#include "engine/scenario/load.h"
#include "lua/constructors.h"
#include "lua/modules.h"
#include "lua/state.h"
#include "lua/strict_tables.h"
#include "lua/to_value.h"

namespace ktstr::lua {

/// What a hook found, added one by one or returned; bounded, whatever the script does. One for each script,
/// which lives as long as the script's state: what a script keeps of a hook may be called when the hook is
/// over.
class HookFailures {
 public:
  /// A new hook; failures of the former one are gone.
  void begin();
  /// The hook is over: its failures, at most 100 of 4 KB each, and how many more there were.
  [[nodiscard]] std::vector<std::string> end();

  /// Adds the text, as people see it. Precondition: between begin() and end().
  void add(lua_State* state, std::string_view text);
  /// Adds what the hook returned, on top of the stack: nothing, true, false, a string, a list of strings.
  /// False for anything else. `name` is the hook's.
  [[nodiscard]] bool add_returned(lua_State* state, const char* name);
  /// An error that ended the hook; always kept.
  void add_error(std::string message);

  /// Pushes the function `fail(it, "message")` of the running hook. After that hook's end it is an error.
  void push_fail(lua_State* state);

 private:
  static int fail(lua_State* state);
  [[nodiscard]] bool add_string(lua_State* state, int index);

  std::vector<std::string> texts_;
  std::uint64_t left_out_ = 0;
  std::uint64_t hook_ = 0;  ///< counts begin() and end(): odd while a hook runs
  std::string error_;
};

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
