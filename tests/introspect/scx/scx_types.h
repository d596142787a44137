// The type information of a ScxGuest.
#pragma once

#include <cstddef>
#include <vector>

namespace ktstr::introspect::test {

/// `old`: as 6.16 has it, otherwise as 7.2.
[[nodiscard]] std::vector<std::byte> scx_types(bool old);

}  // namespace ktstr::introspect::test
