// LuaState: one LuaJIT state in a sandbox, with budgets for memory and instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lua.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::lua {

/// What a script may use. Instructions and time are granted anew to each protected_call(). Both are looked at
/// between Lua instructions: one call of a string function counts as one, however long it matches.
struct Limits {
  std::size_t memory_bytes = 64U << 20;
  std::uint64_t instructions = 200'000'000;
  Duration cpu_time =
      std::chrono::seconds(10);  ///< for what is slow with few instructions, such as stack overflows
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
  /// A message with chunk names replaced by files.
  [[nodiscard]] std::string readable(std::string message) const;

  /// Runs `body` with a fresh instruction budget; the stack is as before when it returns. A Lua error, or a
  /// budget that ran out even if the script caught the error, comes back as kInvalidArgument: "file.lua:12:
  /// message". Every use of the Lua API that may allocate belongs inside.
  [[nodiscard]] Status protected_call(const std::function<void(lua_State*)>& body);

  /// The LuaState that owns `state`.
  [[nodiscard]] static LuaState& of(lua_State* state);

 private:
  explicit LuaState(const Limits& limits) : limits_(limits) {}
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size);
  static void count_hook(lua_State* state, lua_Debug* activation);
  void exhausted(lua_State* state, std::string_view what);

  Limits limits_;
  lua_State* state_ = nullptr;
  std::vector<std::string> chunk_files_;
  std::size_t memory_used_ = 0;
  std::uint64_t instructions_used_ = 0;
  Duration began_;                         ///< CPU time of the thread when the call began
  std::optional<std::string> exhaustion_;  ///< the message, once a budget has run out in this call
};

}  // namespace ktstr::lua
