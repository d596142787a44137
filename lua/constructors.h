// The functions and values of `require "ktstr"`: k.scenario, k.step, k.work.*, k.cpuset.* ... all made from
// describe<>.
#pragma once

#include <lua.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ktstr::lua {

/// How a constructor takes its arguments.
enum class Shape {
  kRecord,  ///< one table (k.scenario, k.step, k.scheduler)
  kWork,    ///< one table with the members of the work type and of the group
  kChoice,  ///< values in the order of the fields, or one table of names; without fields a value, not a
            ///< function
};

/// One function of the module. `family` is empty for k.scenario, k.step and k.scheduler.
struct Constructor {
  std::string_view family;
  std::string_view name;
  std::string_view doc;
  Shape shape;
  std::vector<std::string_view> fields;

  /// "k.cpuset.disjoint"
  [[nodiscard]] std::string full_name() const;
};

/// All constructors, families together, in order of their variants.
[[nodiscard]] std::span<const Constructor> constructors();

/// Pushes the module table. May raise Lua errors.
void push_module(lua_State* state);

/// Which constructor made the table at `index`, and the encoded line of the call (state.h; 0: unknown).
struct Stamp {
  const Constructor* constructor = nullptr;
  int line = 0;
};
[[nodiscard]] Stamp stamp_of(lua_State* state, int index);

}  // namespace ktstr::lua
