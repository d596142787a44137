// The error of a scenario that asks for what can't be.
#pragma once

#include <string>
#include <utility>

#include "engine/base/result.h"

namespace ktstr::engine {

[[nodiscard]] inline Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace ktstr::engine
