#include "lua/constructors.h"

#include <cmath>
#include <string>

#include "engine/base/cpu_set.h"
#include "engine/scenario/scenario.h"
#include "lua/registry.h"
#include "lua/state.h"
#include "lua/strict_tables.h"

namespace ktstr::lua {
namespace {

constexpr char kStampLines = 0;
constexpr char kStampConstructors = 0;

template <class Record>
Constructor constructor_of(std::string_view family, Shape shape) {
  Constructor constructor{family, describe<Record>.name, describe<Record>.doc, shape, {}};
  for_each_field<Record>([&](const auto& field) { constructor.fields.push_back(field.name); });
  return constructor;
}

template <class... Choices>
void add_family(std::vector<Constructor>& all, std::string_view family, Shape shape,
                const std::variant<Choices...>*) {
  (all.push_back(constructor_of<Choices>(family, shape)), ...);
}

template <class Variant>
void add_family(std::vector<Constructor>& all, std::string_view family, Shape shape = Shape::kChoice) {
  add_family(all, family, shape, static_cast<const Variant*>(nullptr));
}

std::vector<Constructor> make_constructors() {
  std::vector<Constructor> all;
  all.push_back(constructor_of<engine::Scenario>("", Shape::kRecord));
  all.push_back(constructor_of<engine::Step>("", Shape::kRecord));
  all.push_back(constructor_of<engine::SchedulerDef>("", Shape::kRecord));
  add_family<engine::CpusetSpec>(all, "cpuset");
  add_family<engine::AffinitySpec>(all, "affinity");
  add_family<engine::Policy>(all, "policy");
  add_family<engine::Work>(all, "work", Shape::kWork);
  add_family<engine::Phase>(all, "phase");
  add_family<engine::Op>(all, "op");
  add_family<engine::Hold>(all, "hold");
  return all;
}

const Constructor& bound_constructor(lua_State* state) {
  return *static_cast<const Constructor*>(lua_touserdata(state, lua_upvalueindex(1)));
}

/// Remembers who made the table on top of the stack, and where.
void stamp_top(lua_State* state, const Constructor& constructor) {
  const auto place = LuaState::caller(state);
  lua_pushinteger(state, place ? encode_line(place->chunk, place->line) : 0);
  set_for_top(state, &kStampLines);
  lua_pushlightuserdata(state, const_cast<Constructor*>(&constructor));
  set_for_top(state, &kStampConstructors);
}

/// A new table with the members of the one at `index`, so that the caller's own stays as it is.
void push_copy(lua_State* state, int index) {
  lua_newtable(state);
  lua_pushnil(state);
  while (lua_next(state, index) != 0) {
    lua_pushvalue(state, -2);
    lua_insert(state, -2);
    lua_rawset(state, -4);
  }
}

void set_type(lua_State* state, std::string_view type) {
  lua_pushlstring(state, type.data(), type.size());
  lua_setfield(state, -2, "type");
}

/// Raises an error at the script's line: "k.step: message".
int refuse(lua_State* state, const Constructor& constructor, const std::string& message) {
  return raise(state, constructor.full_name() + ": " + message);
}

/// k.scenario { ... }, k.step { ... }, k.scheduler { ... }, k.work.x { ... }
int make_from_table(lua_State* state) {
  const auto& constructor = bound_constructor(state);
  if (lua_gettop(state) != 1 || lua_type(state, 1) != LUA_TTABLE)
    return refuse(state, constructor, "takes one table: " + constructor.full_name() + " { ... }");
  push_copy(state, 1);
  if (constructor.shape == Shape::kWork) set_type(state, constructor.name);
  stamp_top(state, constructor);
  return 1;
}

std::string takes(const Constructor& constructor) {
  std::string text = "takes ";
  for (const auto field : constructor.fields) text.append(field).append(", ");
  text.resize(text.size() - 2);
  return text + " (in this order, or as one table of names)";
}

/// Puts "1,2,3" in place of the list {1, 2, 3} of whole numbers: the notation of a CPU list.
void spell_list(lua_State* state, const Constructor& constructor) {
  std::string text;
  for (std::size_t i = 1; i <= lua_objlen(state, 1); ++i) {
    lua_rawgeti(state, 1, static_cast<int>(i));
    const auto number = lua_tonumber(state, -1);
    const bool is_cpu = lua_type(state, -1) == LUA_TNUMBER && number >= 0 && number < CpuSet::kCapacity;
    if (!is_cpu || number != std::floor(number))
      refuse(state, constructor,
             "expected CPU numbers, got " + std::string(luaL_typename(state, -1)) + " in place " +
                 std::to_string(i));
    text += (text.empty() ? "" : ",") + std::to_string(static_cast<std::uint32_t>(number));
    lua_pop(state, 1);
  }
  lua_pushlstring(state, text.data(), text.size());
  lua_replace(state, 1);
}

bool takes_cpus(const Constructor& constructor) {
  return constructor.fields.size() == 1 && constructor.fields.front() == "cpus";
}

/// k.cpuset.disjoint(0, 2) or k.cpuset.disjoint { index = 0, of = 2 }; k.cpuset.exact "1-3" or { 1, 2, 3 }
int make_choice(lua_State* state) {
  const auto& constructor = bound_constructor(state);
  const int count = lua_gettop(state);
  if (count == 1 && takes_cpus(constructor) && lua_type(state, 1) == LUA_TTABLE && lua_objlen(state, 1) > 0)
    spell_list(state, constructor);
  if (count == 1 && lua_type(state, 1) == LUA_TTABLE && !stamp_of(state, 1).constructor) {
    push_copy(state, 1);
  } else {
    if (static_cast<std::size_t>(count) > constructor.fields.size())
      return refuse(state, constructor, takes(constructor));
    lua_newtable(state);
    for (int i = 1; i <= count; ++i) {
      const auto field = constructor.fields[static_cast<std::size_t>(i) - 1];
      lua_pushlstring(state, field.data(), field.size());
      lua_pushvalue(state, i);
      lua_rawset(state, -3);
    }
  }
  set_type(state, constructor.name);
  stamp_top(state, constructor);
  return 1;
}

/// A choice without fields is a value; calling it gives the value too, so that both spellings work.
void push_value(lua_State* state, const Constructor& constructor) {
  lua_newtable(state);
  set_type(state, constructor.name);
  lua_newtable(state);
  lua_pushcfunction(state, [](lua_State* called) {
    lua_settop(called, 1);
    return 1;
  });
  lua_setfield(state, -2, "__call");
  close_metatable(state);
  lua_setmetatable(state, -2);
}

void push_constructor(lua_State* state, const Constructor& constructor) {
  if (constructor.shape == Shape::kChoice && constructor.fields.empty())
    return push_value(state, constructor);
  lua_pushlightuserdata(state, const_cast<Constructor*>(&constructor));
  lua_pushcclosure(state, constructor.shape == Shape::kChoice ? &make_choice : &make_from_table, 1);
}

/// Pushes module[family], made when it is not there yet.
void push_family(lua_State* state, int module, const std::string& family) {
  lua_pushlstring(state, family.data(), family.size());
  lua_rawget(state, module);
  if (!lua_isnil(state, -1)) return;
  lua_pop(state, 1);
  lua_newtable(state);
  refuse_unknown_names(state, "k." + family);
  lua_pushlstring(state, family.data(), family.size());
  lua_pushvalue(state, -2);
  lua_rawset(state, module);
}

}  // namespace

std::string Constructor::full_name() const {
  return "k." + (family.empty() ? "" : std::string(family) + ".") + std::string(name);
}

std::span<const Constructor> constructors() {
  static const auto all = make_constructors();
  return all;
}

void push_module(lua_State* state) {
  make_weak_registry(state, &kStampLines);
  make_weak_registry(state, &kStampConstructors);
  lua_newtable(state);
  const int module = lua_gettop(state);
  for (const auto& constructor : constructors()) {
    if (constructor.family.empty())
      lua_pushvalue(state, module);
    else
      push_family(state, module, std::string(constructor.family));
    lua_pushlstring(state, constructor.name.data(), constructor.name.size());
    push_constructor(state, constructor);
    lua_rawset(state, -3);
    lua_pop(state, 1);
  }
  refuse_unknown_names(state, "k");
}

Stamp stamp_of(lua_State* state, int index) {
  push_for(state, &kStampConstructors, index);
  const auto* constructor = static_cast<const Constructor*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  push_for(state, &kStampLines, index);
  const Stamp stamp{constructor, static_cast<int>(lua_tointeger(state, -1))};
  lua_pop(state, 1);
  return stamp;
}

}  // namespace ktstr::lua
