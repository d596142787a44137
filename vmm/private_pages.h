// The pages of a private mapping that are its own.
#pragma once

#include <cstddef>
#include <span>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// Writes into the file `target`, at the same places, the pages of `mapping` that were written to since it
/// was mapped: a whole MAP_PRIVATE mapping of a file. They are found in /proc/self/pagemap
/// (Documentation/admin-guide/mm/pagemap.rst). Errors: kNotFound when the kernel has no pagemap; kIo.
[[nodiscard]] Status copy_private_pages(std::span<const std::byte> mapping, int target);

}  // namespace ktstr::vmm
