// Value: a tree of plain data, the neutral form between Lua or JSON and our described structs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace ktstr {

/// Null, boolean, number, string, list or object (members in order). `line` is the source line it was written
/// on, 0 if unknown.
struct Value {
  using List = std::vector<Value>;
  struct Member;
  using Object = std::vector<Member>;
  /// A function of the script that made the tree; the number means something to that script's host only.
  struct Function {
    int reference = 0;
  };

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, List, Object, Function>
      data;
  int line = 0;

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  template <class T>
  [[nodiscard]] const T* get_if() const {
    return std::get_if<T>(&data);
  }
  /// The member called `key`, or nullptr (also when this is not an object).
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// "a string", "a list" ...: for messages.
  [[nodiscard]] std::string_view kind_name() const;
  /// "a string (\"abc\")", "a whole number (5)", "a list": what an error shows of it, cut where it is long.
  [[nodiscard]] std::string kind_and_value() const;
};

struct Value::Member {
  std::string key;
  Value value;
};

/// What a text may become in memory: a value takes 50 to 100 bytes, and "0," is one. Whoever takes texts from
/// a guest or a file says what they can be at most.
struct JsonLimits {
  std::size_t values = 1U << 22;
  /// Every value must come with so many bytes of text, on average from the beginning; 0: any number.
  std::size_t bytes_per_value = 0;
  std::size_t string_bytes = SIZE_MAX;  ///< of one string
};

/// Parses one JSON text (RFC 8259). Errors name the byte offset and the reason.
[[nodiscard]] Result<Value> parse_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace ktstr
