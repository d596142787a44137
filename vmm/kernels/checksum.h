// The checksum of files in the kernel cache.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ktstr::vmm {

/// CRC-64 (xz) in hexadecimal. Against damage, not against forgery: who can write to the cache owns the
/// kernels in it.
[[nodiscard]] std::string checksum(std::span<const std::byte> bytes);

}  // namespace ktstr::vmm
