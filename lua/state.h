// LuaState: one LuaJIT state in a sandbox, with budgets for memory and instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lua.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::lua {

/// Lines of several files are one number, in Value::line and ReadError::line. More than any file has lines
/// (scripts are at most 1 MB).
inline constexpr int kLinesPerChunk = 1 << 20;

/// The main script is chunk 0, so its lines are plain.
constexpr int encode_line(int chunk, int line) {
  return chunk * kLinesPerChunk + line;
}
constexpr int chunk_of(int encoded) {
  return encoded / kLinesPerChunk;
}
constexpr int line_of(int encoded) {
  return encoded % kLinesPerChunk;
}

/// What a script may use. Instructions and time are granted anew to each protected_call(). A pattern's steps
/// count as instructions.
struct Limits {
  std::size_t memory_bytes = 64U << 20;
  std::uint64_t instructions = 200'000'000;
  Duration cpu_time =
      std::chrono::seconds(10);          ///< for what is slow with few instructions, such as stack overflows
  std::size_t printed_bytes = 1U << 20;  ///< what `print` shows of a script in all; the rest is left out
};

/// A state with base, table, string, math, bit and coroutine, less everything that reaches the host: no io,
/// os, ffi, debug, package, load, bytecode. Compiled code is off, so that the instruction budget sees every
/// instruction. One thread at a time.
class LuaState {
 public:
  /// Errors: kUnavailable when LuaJIT can't start (no memory).
  [[nodiscard]] static Result<std::unique_ptr<LuaState>> create(const Limits& limits);
  ~LuaState();
  LuaState(const LuaState&) = delete;
  LuaState& operator=(const LuaState&) = delete;

  /// Gives a chunk its number (from 0), for its name in messages and for lines.
  [[nodiscard]] int add_chunk(std::string file);
  [[nodiscard]] const std::string& chunk_file(int chunk) const {
    return chunk_files_[static_cast<std::size_t>(chunk)];
  }
  /// The name to load chunk `chunk` under. People never see it: see readable().
  [[nodiscard]] static std::string chunk_name(int chunk);
  /// Where Lua code calls the C function that runs now, or nothing in a tail call from the host.
  struct Location {
    int chunk;
    int line;
  };
  [[nodiscard]] static std::optional<Location> caller(lua_State* state);
  /// "file.lua:12: " as Lua's own messages have it: readable() makes it so.
  [[nodiscard]] static std::string prefix(Location place);
  /// A message with chunk names replaced by files. A very long one is cut.
  [[nodiscard]] std::string readable(std::string_view message) const;

  /// Runs `body` with a fresh instruction budget; the stack is as before when it returns. A Lua error, or a
  /// budget that ran out even if the script caught the error, comes back as kInvalidArgument: "file.lua:12:
  /// message"; kCancelled once the descriptor of stop_when_readable() is readable. Every use of the Lua API
  /// that may allocate belongs inside.
  [[nodiscard]] Status protected_call(const std::function<void(lua_State*)>& body);

  /// From now on a call ends when `fd` (Interrupt::stop_fd()) is readable; -1: it does not.
  void stop_when_readable(int fd) { stop_fd_ = fd; }
  /// Where lines of `print` go, each with "# " in front and its newline; standard error unless this was
  /// called.
  void print_with(std::function<void(std::string_view)> printer) { printer_ = std::move(printer); }

  /// For functions that scripts call and that work for long: counts instructions; false when a budget has run
  /// out. Then end_call() is due.
  [[nodiscard]] bool spend(lua_State* state, std::uint64_t instructions);
  /// Raises the error of a budget that has run out, now and after every pcall.
  int end_call(lua_State* state);
  /// One line of `print`.
  void print(std::string_view line);

  /// Counts the C++ functions that call Lua functions, one inside the other: each takes some of the C stack.
  class Nested {
   public:
    explicit Nested(LuaState& owner) : owner_(owner) { ++owner_.nested_; }
    ~Nested() { --owner_.nested_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    [[nodiscard]] bool too_deep() const { return owner_.nested_ > kDeepestNesting; }

   private:
    LuaState& owner_;
  };
  static constexpr int kDeepestNesting = 100;

  /// The LuaState that owns `state`.
  [[nodiscard]] static LuaState& of(lua_State* state);

 private:
  explicit LuaState(const Limits& limits) : limits_(limits) {}
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size);
  static void count_hook(lua_State* state, lua_Debug* activation);
  [[nodiscard]] std::string with_file(std::string message) const;
  void look_at_budget(lua_State* state);
  void exhausted(lua_State* state, std::string_view what);

  Limits limits_;
  lua_State* state_ = nullptr;
  std::vector<std::string> chunk_files_;
  std::size_t memory_used_ = 0;
  std::uint64_t instructions_used_ = 0;
  Duration began_;                         ///< CPU time of the thread when the call began
  std::optional<std::string> exhaustion_;  ///< the message, once a budget has run out in this call
  std::uint64_t calls_ = 0;
  std::size_t printed_bytes_ = 0;
  int nested_ = 0;
  int stop_fd_ = -1;
  bool stopped_ = false;
  std::function<void(std::string_view)> printer_;
};

/// Raises the message with the line of the script that called, also when the sandbox's own Lua code stands
/// between.
int raise(lua_State* state, std::string_view message);

/// Answers with nil.
inline int answer_nil(lua_State* state) {
  lua_pushnil(state);
  return 1;
}

}  // namespace ktstr::lua
