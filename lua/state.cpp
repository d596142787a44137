#include "lua/state.h"

#include <luajit.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <system_error>

#include "engine/base/io.h"
#include "engine/base/printable.h"
#include "engine/base/utf8.h"
#include "lua/sandbox.h"

namespace ktstr::lua {
namespace {

constexpr int kHookInterval = 1000;
/// A call may take far longer than an instruction.
constexpr std::uint64_t kCallsBetweenLooks = 64;
/// Of an error or a failure; chunk names make it longer by the length of their files.
constexpr std::size_t kLongestMessage = 16 << 10;
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

/// What an error value says; error({}) has no text. A place in the sandbox's own code is none that people
/// know.
std::string error_text(lua_State* state) {
  std::size_t size = 0;
  const char* text = lua_type(state, -1) == LUA_TSTRING ? lua_tolstring(state, -1, &size) : nullptr;
  constexpr std::string_view kOwnCode = "sandbox:";
  if (text) {
    const std::string_view message(text, size);
    const auto behind = message.starts_with(kOwnCode) ? message.find(": ") : std::string_view::npos;
    return std::string(behind == std::string_view::npos ? message : message.substr(behind + 2));
  }
  return std::string("the error is a ") + luaL_typename(state, -1) + ", not a message";
}

Duration thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

Result<std::unique_ptr<LuaState>> LuaState::create(const Limits& limits) {
  auto self = std::unique_ptr<LuaState>(new LuaState(limits));
  self->state_ = lua_newstate(&LuaState::allocate, self.get());
  if (!self->state_) return Error{ErrorCode::kUnavailable, "LuaJIT does not start: no memory"};
  luaJIT_setmode(self->state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  KTSTR_TRY(self->protected_call([](lua_State* state) { open_sandbox(state); }));
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

std::string LuaState::prefix(Location place) {
  return chunk_name(place.chunk).substr(1) + ":" + std::to_string(place.line) + ": ";
}

std::string LuaState::readable(std::string_view message) const {
  std::string text;
  for (std::size_t at = 0; at < message.size() && text.size() <= kLongestMessage;) {
    const auto mark = message.find(kChunkMark, at);
    text += message.substr(at, mark - at);
    if (mark == std::string_view::npos) break;
    int chunk = -1;
    const char* const end = message.data() + message.size();
    const char* const digits = message.data() + mark + 1;
    const auto [behind, error] = std::from_chars(digits, end, chunk);
    const bool names = error == std::errc{} && behind != end && *behind == kChunkMark && chunk >= 0 &&
                       static_cast<std::size_t>(chunk) < chunk_files_.size();
    text += names ? chunk_file(chunk) : std::string(1, kChunkMark);
    at = names ? static_cast<std::size_t>(behind - message.data()) + 1 : mark + 1;
  }
  return cut_text(std::move(text), kLongestMessage);
}

Status LuaState::protected_call(const std::function<void(lua_State*)>& body) {
  instructions_used_ = 0;
  began_ = thread_cpu_time();
  exhaustion_.reset();
  stopped_ = false;
  nested_ = 0;
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
  const auto message = with_file(exhaustion_ ? *exhaustion_ : outcome != 0 ? error_text(state_) : "");
  lua_settop(state_, top);
  if (outcome == 0 && !exhaustion_) return ok();
  return Error{stopped_ ? ErrorCode::kCancelled : ErrorCode::kInvalidArgument, readable(message)};
}

/// A message that has no place, of error("...", 0) for one, is a script's all the same: none begins with its
/// words.
std::string LuaState::with_file(std::string message) const {
  const bool has_place = message.starts_with(kChunkMark) || chunk_files_.empty();
  return has_place ? std::move(message) : chunk_files_.front() + ": " + message;
}

LuaState& LuaState::of(lua_State* state) {
  void* self = nullptr;
  lua_getallocf(state, &self);
  return *static_cast<LuaState*>(self);
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
  auto& self = of(state);
  if (activation->event == LUA_HOOKCALL) {
    luaL_checkstack(state, kStackSlack, "too many calls inside each other");
    if (++self.calls_ % kCallsBetweenLooks != 0) return;
    self.look_at_budget(state);
  } else {
    self.instructions_used_ += kHookInterval;
    self.look_at_budget(state);
  }
  if (self.exhaustion_) self.end_call(state);
}

bool LuaState::spend(lua_State* state, std::uint64_t instructions) {
  instructions_used_ += instructions;
  look_at_budget(state);
  return !exhaustion_;
}

int LuaState::end_call(lua_State* state) {
  lua_sethook(state, &LuaState::count_hook, kHookEvents, 1);
  return luaL_error(state, "a budget of the script has run out");
}

void LuaState::look_at_budget(lua_State* state) {
  if (instructions_used_ > limits_.instructions)
    exhausted(state,
              "ran too long: a script may use " + std::to_string(limits_.instructions) + " instructions");
  else if (thread_cpu_time().ns - began_.ns > limits_.cpu_time.ns)
    exhausted(state, "ran too long: a script may use " + format_duration(limits_.cpu_time) + " of CPU time");
  else if (!exhaustion_ && is_readable(stop_fd_)) {
    stopped_ = true;
    exhausted(state, "interrupted");
  }
}

void LuaState::print(std::string_view line) {
  const auto left = limits_.printed_bytes - printed_bytes_;
  if (left == 0) return;
  std::string text(line.substr(0, left));
  printed_bytes_ += std::min(left, line.size() + 3);  // with its mark and newline
  text = "# " + printable_lines(readable(text), "# ") + "\n";
  if (printed_bytes_ == limits_.printed_bytes)
    text +=
        "print: a script may print " + format_byte_size({limits_.printed_bytes}) + "; the rest is left out\n";
  if (printer_) return printer_(text);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void LuaState::exhausted(lua_State* state, std::string_view what) {
  if (exhaustion_) return;
  const auto place = location_from(state, 0);
  exhaustion_ = (place ? prefix(*place) : "") + std::string(what);
}

int raise(lua_State* state, std::string_view message) {
  {
    std::string text;
    if (const auto place = LuaState::caller(state)) text = LuaState::prefix(*place);
    text += message;
    lua_pushlstring(state, text.data(), text.size());
  }
  return lua_error(state);
}

}  // namespace ktstr::lua
