// The files that a program needs to start in another file system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/schedulers/library_cache.h"

namespace ktstr::engine {

/// What the loader looks through besides a file's own lists.
struct LibraryPlaces {
  std::vector<std::filesystem::path> library_path;  ///< LD_LIBRARY_PATH
  LibraryCache cache;
  std::vector<std::filesystem::path> directories;  ///< the trusted ones

  /// This host's. Errors: a cache that can't be read.
  [[nodiscard]] static Result<LibraryPlaces> of_this_host();
};

struct SharedLibrary {
  std::string soname;  ///< the name by which it is asked for
  std::filesystem::path path;
};

/// A static program has neither interpreter nor libraries.
struct ProgramClosure {
  std::filesystem::path program;
  std::optional<std::filesystem::path> interpreter;  ///< as the program names it
  std::vector<SharedLibrary> libraries;  ///< each once, in the order in which the loader meets them
};

/// Follows DT_NEEDED breadth first, as the loader does; a soname is resolved once, so cycles end. Errors:
/// those of read_dynamic_section; kNotFound "needs the shared library "libx.so.1" (asked for by liby.so.2),
/// which is nowhere"; kOutOfRange for more than 1000 libraries.
[[nodiscard]] Result<ProgramClosure> resolve_closure(const std::filesystem::path& program,
                                                     const LibraryPlaces& places);

}  // namespace ktstr::engine
