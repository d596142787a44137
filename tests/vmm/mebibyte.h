#pragma once

#include <cstdint>

namespace ktstr::vmm {

constexpr std::uint64_t kMiB = 1ULL << 20;

}  // namespace ktstr::vmm
