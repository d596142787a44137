// HookFailures: what a hook found, added one by one or returned; bounded, whatever the script does.
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ktstr::lua {

/// One for each script, which lives as long as the script's state: what a script keeps of a hook may be
/// called when the hook is over.
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

}  // namespace ktstr::lua
