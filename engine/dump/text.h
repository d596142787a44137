// A dump as a person reads it: the cause first, then what a scheduler engineer wants on one screen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "introspect/dump/dump.h"

namespace ktstr::engine {

struct DumpTextOptions {
  bool colour = false;
  /// Only this map, with all its entries.
  std::optional<std::string> map{};
  /// Only this task, with all that is known of it.
  std::optional<std::int32_t> task{};
};

/// Ends with a newline. What the dump says is made printable. Maps show their first entries only, unless one
/// is asked for by name. Errors (kNotFound): no such map (names the nearest), no such task, or a dump that
/// has neither.
[[nodiscard]] Result<std::string> to_text(introspect::FailureDump dump, const DumpTextOptions& options = {});

}  // namespace ktstr::engine
