// JSON of others: texts that take no more memory than their reader says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/read.h"

namespace ktstr {

/// What a text may become in memory: a value takes 50 to 100 bytes, and "0," is one. Whoever takes texts from
/// a guest or a file says what they can be at most.
struct JsonLimits {
  std::size_t values = 1U << 22;
  /// Every value must come with so many bytes of text, on average from the beginning; 0: any number.
  std::size_t bytes_per_value = 0;
  std::size_t string_bytes = SIZE_MAX;  ///< of one string
};

/// The parse_json() and from_json() of value.h and read.h, which have the limits that are the defaults here.
[[nodiscard]] Result<Value> parse_json(std::string_view text, const JsonLimits& limits);

template <class T>
[[nodiscard]] Result<T> from_json(std::string_view text, const JsonLimits& limits) {
  const Value tree = KTSTR_TRY(parse_json(text, limits));
  T out{};
  if (auto error = read(tree, out, {}, MissingMembers::kError))
    return Error{ErrorCode::kCorrupt, error->text()};
  return out;
}

}  // namespace ktstr
