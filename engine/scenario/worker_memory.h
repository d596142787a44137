// What a worker takes of its guest's memory.
#pragma once

#include <cstdint>

namespace ktstr::engine {

/// Beside what its work uses, as bench_workers measures it: 44 KB of page tables, 16 KB of kernel stack, 25
/// KB of the kernel's structures, 15 KB of pages.
inline constexpr std::uint64_t kWorkerBytes = 100 << 10;

}  // namespace ktstr::engine
