// Files that are whole on disk once written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr {

/// Creates (or overwrites) `path` with `bytes` and waits until they are on disk. On error the file may be
/// partly written.
[[nodiscard]] Status write_durably(const std::filesystem::path& path, std::span<const std::byte> bytes);
[[nodiscard]] Status write_durably(const std::filesystem::path& path, std::string_view text);

/// Gives the finished file `part`, of the same directory, the name `path`, and waits until that is on disk.
/// On error there is no `part` any more.
[[nodiscard]] Status publish(const std::filesystem::path& part, const std::filesystem::path& path);

/// Waits until the names in a directory (created, renamed, removed) are on disk.
[[nodiscard]] Status sync_directory(const std::filesystem::path& directory);

}  // namespace ktstr
