// Whole reads and writes at a place of a file.
#pragma once

#include <cstddef>
#include <span>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// Fills `bytes` from `fd` at `offset`. For much at once it takes a quarter of the time of a copy from a
/// mapping whose pages nobody has touched. Errors: kIo, also when the file ends before.
[[nodiscard]] Status read_at(int fd, std::span<std::byte> bytes, std::size_t offset);

/// Writes all of `bytes` into `fd` at `offset`: into a memfd that saves the faults that writing through a
/// mapping costs. Errors: kIo.
[[nodiscard]] Status write_at(int fd, std::span<const std::byte> bytes, std::size_t offset);

}  // namespace ktstr::vmm
