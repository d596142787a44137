// The error of a type table that is not what it says.
#pragma once

#include <string>
#include <utility>

#include "engine/base/result.h"

namespace ktstr::introspect {

/// kCorrupt: "BTF: " and what is wrong.
[[nodiscard]] inline Error corrupt_btf(std::string message) {
  return {ErrorCode::kCorrupt, "BTF: " + std::move(message)};
}

}  // namespace ktstr::introspect
