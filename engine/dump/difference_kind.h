// Which members of a dump are different in any two dumps.
#pragma once

#include <string>
#include <string_view>

#include "engine/dump/diff.h"

namespace ktstr::engine {

/// The kind of a member called `member` of what is at `path`. What a map or an allocation holds is the
/// scheduler's own and always state, whatever its names; its pointers are marked by the tree (diff.cpp).
[[nodiscard]] DifferenceKind kind_of_member(std::string_view path, std::string_view member);

/// Whether `member` of what is at `path` holds a scheduler's own data.
[[nodiscard]] bool holds_contents(std::string_view path, std::string_view member);

}  // namespace ktstr::engine
