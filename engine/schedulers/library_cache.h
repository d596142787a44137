// The dynamic loader's cache of library locations, /etc/ld.so.cache.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::engine {

/// Sonames and where their libraries are, for x86-64 programs on any CPU (variants for special CPUs are left
/// out). Format: glibc, sysdeps/generic/dl-cache.h, "glibc-ld.so.cache1.1".
class LibraryCache {
 public:
  LibraryCache() = default;
  /// Errors (kCorrupt): not such a file, or damaged.
  [[nodiscard]] static Result<LibraryCache> parse(std::span<const std::byte> file);
  /// A missing file is an empty cache. Errors: kIo, kCorrupt.
  [[nodiscard]] static Result<LibraryCache> load(const std::filesystem::path& file);

  /// Places of the library, best first.
  [[nodiscard]] std::vector<std::filesystem::path> find(const std::string& soname) const;

 private:
  std::map<std::string, std::vector<std::filesystem::path>> places_;
};

}  // namespace ktstr::engine
