// How much memory there is for more workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// What the kernel says is available beyond what the agent needs itself; absent where it does not say.
[[nodiscard]] std::optional<std::uint64_t> memory_left();

/// Whether `workers` more fit into the memory that the kernel says is available, with a little left for the
/// agent itself; also where the kernel does not say. Error (kUnavailable): "out of memory: ...", with both
/// numbers.
[[nodiscard]] Status check_memory_for(std::size_t workers);

/// The error when no memory is left after `forked` of `workers` workers.
[[nodiscard]] Error out_of_memory(std::size_t forked, std::size_t workers);

}  // namespace ktstr::engine::guest
