// Which cached kernel is the default: a link beside the entries.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// The name of the entry that was made the default, whether it is still there or not. `kernels`: the folder
/// of the entries.
[[nodiscard]] std::optional<std::string> default_entry(const std::filesystem::path& kernels);

/// Makes `entry` the default, in one step; `scratch` is an empty directory of the same file system. Errors:
/// kIo.
[[nodiscard]] Status set_default_entry(const std::filesystem::path& kernels, const std::string& entry,
                                       const std::filesystem::path& scratch);

}  // namespace ktstr::vmm
