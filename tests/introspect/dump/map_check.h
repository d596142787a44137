// wrong_type: what a dump shows one map as, against what memory says that it is.
#pragma once

#include <string>

#include "introspect/dump/map_dump.h"
#include "tests/introspect/dump/declared_types.h"

namespace ktstr::introspect::test {

enum class Whole : bool { kNo, kYes };

/// The first thing in `map` that is of another type than `declared` says, in words; "" when there is none.
/// Bytes instead of a type need a reason in `map.error`, and are wrong for a map whose declaration is whole.
[[nodiscard]] std::string wrong_type(const FailureDumpMap& map, const DeclaredTypes& declared, Whole whole);

}  // namespace ktstr::introspect::test
