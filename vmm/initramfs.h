// Initramfs: the guest's first root file system, as a cpio archive in the kernel's "newc" form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// A regular file of the archive. Its directories are made by themselves.
struct InitramfsFile {
  std::string path;  ///< in the guest: relative, without "." or "..", e.g. "init" or "bin/worker"
  std::variant<std::filesystem::path, std::vector<std::byte>> content;  ///< a host file to copy, or the bytes
  std::uint32_t mode = 0755;                                            ///< permission bits
};

/// The archive of `files` plus an empty /dev with console and null, /proc, /sys and /tmp. Uncompressed: the
/// kernel unpacks that fastest under emulation (docs/vmm.md). Deterministic: the same files give the same
/// bytes, whatever their order, age or owner. Errors: kNotFound or kIo for a host file, kInvalidArgument for
/// a path that leaves the root or appears twice.
[[nodiscard]] Result<std::vector<std::byte>> build_initramfs(std::vector<InitramfsFile> files);

/// Writes the archive to `path` in one step: another process sees the old file or all of the new one.
[[nodiscard]] Status write_initramfs(std::vector<InitramfsFile> files, const std::filesystem::path& path);

}  // namespace ktstr::vmm
