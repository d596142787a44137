// Reading a value that is one of several kinds (a cpuset, a policy, an op), each made by a constructor of the
// script.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/read.h"

namespace ktstr::engine {

/// Reads a table with a "type" into the variant's alternative of that name. Members that are not optional
/// must be there. `expected` completes "expected ..., got a string" for anything else.
template <class Variant>
[[nodiscard]] ReadStatus read_choice(const Value& value, Variant& out, const ReadPlace& place,
                                     std::string_view expected) {
  const auto* type = value.find("type");
  if (!type || !type->get_if<std::string>()) return detail::wrong_kind(value, expected, place);
  return detail::read_variant(value, out, place, MissingMembers::kError);
}

}  // namespace ktstr::engine
