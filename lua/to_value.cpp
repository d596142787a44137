#include "lua/to_value.h"

#include <algorithm>
#include <cmath>

#include "lua/constructors.h"
#include "lua/sandbox.h"
#include "lua/state.h"

namespace ktstr::lua {
namespace {

constexpr int kDeepestTable = 32;
/// Tables and texts that are used several times count each time: that is what they cost.
constexpr std::size_t kMostValues = 200'000;
constexpr std::size_t kMostTextBytes = 4 << 20;
constexpr double kLargestExactDouble = 9007199254740992.0;  // 2^53

/// A table's literal in the source, with the chunk it is in.
struct Literal {
  const TableLiteral* table = nullptr;
  int chunk = 0;

  Literal child(const TableLiteral::Entry* entry) const {
    return {entry ? entry->table.get() : nullptr, chunk};
  }
  int line(const TableLiteral::Entry* entry) const { return entry ? encode_line(chunk, entry->line) : 0; }
  const TableLiteral::Entry* find(std::string_view key) const { return table ? table->find(key) : nullptr; }
  const TableLiteral::Entry* item(std::size_t index) const { return table ? table->item(index) : nullptr; }
};

class Converter {
 public:
  Converter(lua_State* state, const LocatorOf& locator_of) : state_(state), locator_of_(locator_of) {}

  /// The value on top of the stack, which stays. `entry` is where it stands in its table's literal.
  ReadStatus convert(const ReadPlace& place, Literal literal, Value& out) {
    if (++values_ > kMostValues)
      return give_up(place, "here are more than " + std::to_string(kMostValues) +
                                " values; what is used several times counts each time");
    if (lua_type(state_, -1) == LUA_TSTRING && !take_bytes(lua_objlen(state_, -1))) return too_long(place);
    switch (lua_type(state_, -1)) {
      case LUA_TBOOLEAN:
        out.data = lua_toboolean(state_, -1) != 0;
        return {};
      case LUA_TNUMBER:
        out.data = number(lua_tonumber(state_, -1));
        return {};
      case LUA_TSTRING:
        out.data = text(-1);
        return {};
      case LUA_TFUNCTION:
        lua_pushvalue(state_, -1);
        out.data = Value::Function{luaL_ref(state_, LUA_REGISTRYINDEX)};
        return {};
      case LUA_TTABLE:
        return convert_table(place, literal, out);
      case kCdataType:
        if (const auto whole = to_integer64(state_, -1)) {
          std::visit([&](auto integer) { out.data = integer; }, *whole);
          return {};
        }
        [[fallthrough]];
      default:
        return place.error(std::string("a ") + luaL_typename(state_, -1) + " can't be used here");
    }
  }

 private:
  static decltype(Value::data) number(double value) {
    if (std::trunc(value) == value && std::fabs(value) <= kLargestExactDouble)
      return static_cast<std::int64_t>(value);
    return value;
  }
  std::string text(int index) const {
    std::size_t size = 0;
    const char* data = lua_tolstring(state_, index, &size);
    return {data, size};
  }

  ReadStatus convert_table(const ReadPlace& place, Literal literal, Value& out) {
    if (depth_ >= kDeepestTable)
      return give_up(place, "tables are nested deeper than " + std::to_string(kDeepestTable));
    ++depth_;
    luaL_checkstack(state_, 8, "tables nested too deep");
    const auto stamp = stamp_of(state_, -1);
    if (stamp.constructor)
      literal = {find_literal(stamp, out.line, literal.chunk),
                 stamp.line != 0 ? chunk_of(stamp.line) : literal.chunk};
    auto error = fill_table(place, literal, stamp.constructor, out);
    --depth_;
    return error;
  }

  /// The literal that a constructor was called with. Sets the line of a call that had none of its own.
  const TableLiteral* find_literal(const Stamp& stamp, int& line, int chunk) const {
    if (stamp.line != 0) {
      if (line == 0) line = stamp.line;
      return locator_of_(chunk_of(stamp.line)).called_at(stamp.constructor->name, line_of(stamp.line));
    }
    auto found = locator_of_(chunk).returned(stamp.constructor->name);
    if (line == 0 && found.line != 0) line = encode_line(chunk, found.line);
    return found.table;
  }

  ReadStatus fill_table(const ReadPlace& place, Literal literal, const Constructor* constructor, Value& out) {
    const auto is_made_by = [&](std::string_view name) {
      return constructor && constructor->family.empty() && constructor->name == name;
    };
    const auto items = lua_objlen(state_, -1);
    const bool is_step = is_made_by("step");
    Value::Object members;
    Value::List list;
    auto status = read_members(place, literal, items, members);
    if (!gave_up_ && items > 0)
      add_error(status, read_items(is_step ? place.member("ops", Value{}) : place, literal, items, list));
    if (gave_up_) return status;
    if (items > 0 && is_made_by("scenario"))
      add_error(
          status,
          place.error("a scenario has no list items: ops stand in a step, steps = { k.step { k.op... } }"));
    else if (items > 0 && !is_step && !members.empty())
      add_error(status, place.error("mixes list items with named members"));
    for (const auto& member : members)
      if (items > 0 && is_step && member.key == "ops")
        add_error(status, place.member("ops", member.value).error("the step has ops as list items already"));
    if (status) return status;
    if (items > 0 && is_step) members.emplace_back("ops", Value{std::move(list)});
    if (items > 0 && !is_step)
      out.data = std::move(list);
    else
      out.data = std::move(members);
    return {};
  }

  ReadStatus read_items(const ReadPlace& place, Literal literal, std::size_t items, Value::List& out) {
    ReadStatus status;
    for (std::size_t i = 0; i < items && !gave_up_; ++i) {
      const auto* entry = literal.item(i);
      lua_rawgeti(state_, -1, static_cast<int>(i) + 1);
      out.emplace_back().line = line_of_value(literal.line(entry));
      add_error(status, convert(place.element(i, out.back()), literal.child(entry), out.back()));
      lua_pop(state_, 1);
    }
    return status;
  }

  ReadStatus read_members(const ReadPlace& place, Literal literal, std::size_t items, Value::Object& out) {
    ReadStatus status;
    for (lua_pushnil(state_); !gave_up_ && lua_next(state_, -2) != 0; lua_pop(state_, 1))
      if (!is_item(items)) add_error(status, read_member(place, literal, out));
    if (gave_up_) return status;
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    return status;
  }

  /// The member whose key and value are on top of the stack.
  ReadStatus read_member(const ReadPlace& place, Literal literal, Value::Object& out) {
    if (lua_type(state_, -2) != LUA_TSTRING) return place.error(wrong_key());
    if (!take_bytes(lua_objlen(state_, -2))) return too_long(place);
    const auto key = text(-2);
    const auto* entry = literal.find(key);
    auto& [name, value] = out.emplace_back(key, Value{});
    value.line = line_of_value(literal.line(entry));
    return convert(place.member(key, value), literal.child(entry), value);
  }

  std::string wrong_key() const {
    if (lua_type(state_, -2) != LUA_TNUMBER)
      return std::string("a key is a ") + luaL_typename(state_, -2) + ", not a name";
    Value key{number(lua_tonumber(state_, -2))};
    return "a key is " + key.kind_and_value() + ", which no list from 1 on leads to, and not a name";
  }

  ReadStatus give_up(const ReadPlace& place, std::string message) {
    gave_up_ = true;
    return place.error(std::move(message));
  }
  bool take_bytes(std::size_t count) {
    bytes_ += count;
    return bytes_ <= kMostTextBytes;
  }
  ReadStatus too_long(const ReadPlace& place) {
    return give_up(place,
                   "the texts are longer than 4 MB in all; one that is used several times counts each time");
  }

  /// Whether the key below the value is one of the list's.
  bool is_item(std::size_t items) const {
    if (lua_type(state_, -2) != LUA_TNUMBER) return false;
    const auto key = lua_tonumber(state_, -2);
    return std::trunc(key) == key && key >= 1 && key <= static_cast<double>(items);
  }

  /// The key's own line, or that of the constructor's call.
  int line_of_value(int line_of_key) const {
    if (line_of_key != 0 || lua_type(state_, -1) != LUA_TTABLE) return line_of_key;
    return stamp_of(state_, -1).line;
  }

  lua_State* state_;
  const LocatorOf& locator_of_;
  int depth_ = 0;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
  bool gave_up_ = false;  ///< the rest is not worth looking at
};

}  // namespace

ReadStatus to_value(lua_State* state, int index, const LocatorOf& locator_of, Value& out) {
  lua_pushvalue(state, index);
  auto status = Converter(state, locator_of).convert({}, {}, out);
  lua_pop(state, 1);
  if (!status) return status;
  if (status->line == 0) status->line = out.line;
  for (auto& other : status->others)
    if (other.line == 0) other.line = out.line;
  return status;
}

}  // namespace ktstr::lua
