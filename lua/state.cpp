#include "lua/state.h"

#include <luajit.h>

#include <cstdlib>
#include <ctime>

#include "engine/base/check.h"
#include "lua/sandbox.h"

namespace ktstr::lua {
namespace {

constexpr int kHookInterval = 1000;
constexpr int kHookEvents = LUA_MASKCOUNT | LUA_MASKCALL;
/// Without it a script could stay so near the end of Lua's stack that the hook itself overflows and never
/// runs.
constexpr int kStackSlack = 1000;
constexpr char kChunkMark = '\x01';

/// The innermost Lua function's place, seen from `level` outwards.
std::optional<LuaState::Location> location_from(lua_State* state, int level) {
  lua_Debug activation{};
  for (; lua_getstack(state, level, &activation) != 0; ++level) {
    lua_getinfo(state, "Sl", &activation);
    if (activation.currentline > 0 && activation.source[0] == '=' && activation.source[1] == kChunkMark)
      return LuaState::Location{std::atoi(activation.source + 2), activation.currentline};
  }
  return std::nullopt;
}

std::string text_of(LuaState::Location place) {
  return LuaState::chunk_name(place.chunk).substr(1) + ":" + std::to_string(place.line) + ": ";
}

/// What an error value says; error({}) has no text.
std::string error_text(lua_State* state) {
  std::size_t size = 0;
  const char* text = lua_type(state, -1) == LUA_TSTRING ? lua_tolstring(state, -1, &size) : nullptr;
  if (text) return {text, size};
  return std::string("the error is a ") + luaL_typename(state, -1) + ", not a message";
}

Duration thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

constexpr char kOwnerKey = 0;

}  // namespace

Result<std::unique_ptr<LuaState>> LuaState::create(const Limits& limits) {
  auto self = std::unique_ptr<LuaState>(new LuaState(limits));
  self->state_ = lua_newstate(&LuaState::allocate, self.get());
  if (!self->state_) return Error{ErrorCode::kUnavailable, "LuaJIT does not start: no memory"};
  luaJIT_setmode(self->state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  KTSTR_TRY_STATUS(self->protected_call([&](lua_State* state) {
    lua_pushlightuserdata(state, const_cast<char*>(&kOwnerKey));
    lua_pushlightuserdata(state, self.get());
    lua_rawset(state, LUA_REGISTRYINDEX);
    open_sandbox(state);
  }));
  return self;
}

LuaState::~LuaState() {
  if (state_) lua_close(state_);
}

int LuaState::add_chunk(std::string file) {
  chunk_files_.push_back(std::move(file));
  return static_cast<int>(chunk_files_.size()) - 1;
}

std::string LuaState::chunk_name(int chunk) {
  return "=" + std::string(1, kChunkMark) + std::to_string(chunk) + kChunkMark;
}

std::optional<LuaState::Location> LuaState::caller(lua_State* state) {
  return location_from(state, 1);
}

std::string LuaState::readable(std::string message) const {
  for (std::size_t chunk = 0; chunk < chunk_files_.size(); ++chunk) {
    const auto mark = chunk_name(static_cast<int>(chunk)).substr(1);
    const auto& file = chunk_files_[chunk];
    for (auto at = message.find(mark); at != std::string::npos; at = message.find(mark, at + file.size()))
      message.replace(at, mark.size(), file);
  }
  return message;
}

Status LuaState::protected_call(const std::function<void(lua_State*)>& body) {
  instructions_used_ = 0;
  began_ = thread_cpu_time();
  exhaustion_.reset();
  const int top = lua_gettop(state_);
  lua_sethook(state_, &LuaState::count_hook, kHookEvents, kHookInterval);
  const auto call = [](lua_State* state) {
    const auto* bound = static_cast<const std::function<void(lua_State*)>*>(lua_touserdata(state, 1));
    lua_settop(state, 0);
    (*bound)(state);
    return 0;
  };
  const int outcome = lua_cpcall(state_, call, const_cast<std::function<void(lua_State*)>*>(&body));
  lua_sethook(state_, nullptr, 0, 0);
  const auto message = exhaustion_ ? *exhaustion_ : outcome != 0 ? error_text(state_) : "";
  lua_settop(state_, top);
  if (outcome == 0 && !exhaustion_) return ok();
  return Error{ErrorCode::kInvalidArgument, readable(message)};
}

LuaState& LuaState::of(lua_State* state) {
  lua_pushlightuserdata(state, const_cast<char*>(&kOwnerKey));
  lua_rawget(state, LUA_REGISTRYINDEX);
  auto* self = static_cast<LuaState*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  KTSTR_CHECK(self != nullptr);
  return *self;
}

void* LuaState::allocate(void* self_pointer, void* block, std::size_t old_size, std::size_t new_size) {
  auto& self = *static_cast<LuaState*>(self_pointer);
  if (new_size == 0) {
    std::free(block);
    self.memory_used_ -= old_size;
    return nullptr;
  }
  if (new_size > old_size && new_size - old_size > self.limits_.memory_bytes - self.memory_used_) {
    if (self.state_)
      self.exhausted(self.state_,
                     "out of memory: a script may use " + format_byte_size({self.limits_.memory_bytes}));
    return nullptr;
  }
  void* grown = std::realloc(block, new_size);
  if (grown) self.memory_used_ = self.memory_used_ - old_size + new_size;
  return grown;
}

/// Called at every interval, and at every call. Raised again at every instruction once a budget has run out,
/// so that no pcall can go on.
void LuaState::count_hook(lua_State* state, lua_Debug* activation) {
  if (activation->event == LUA_HOOKCALL)
    return luaL_checkstack(state, kStackSlack, "too many calls inside each other");
  auto& self = of(state);
  self.instructions_used_ += kHookInterval;
  if (self.instructions_used_ > self.limits_.instructions)
    self.exhausted(state, "ran too long: a script may use " + std::to_string(self.limits_.instructions) +
                              " instructions");
  else if (thread_cpu_time().ns - self.began_.ns > self.limits_.cpu_time.ns)
    self.exhausted(
        state, "ran too long: a script may use " + format_duration(self.limits_.cpu_time) + " of CPU time");
  if (!self.exhaustion_) return;
  lua_sethook(state, &LuaState::count_hook, kHookEvents, 1);
  luaL_error(state, "a budget of the script has run out");
}

void LuaState::exhausted(lua_State* state, std::string_view what) {
  if (exhaustion_) return;
  const auto place = location_from(state, 0);
  exhaustion_ = (place ? text_of(*place) : "") + std::string(what);
}

}  // namespace ktstr::lua
