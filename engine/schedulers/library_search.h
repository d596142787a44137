// Where the dynamic loader finds a shared library.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/schedulers/dynamic_section.h"
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

/// An object of a program, and who asked for it: its search lists hold for what it needs.
struct LoadedObject {
  std::filesystem::path path;  ///< canonical
  DynamicSection dynamic;
  std::optional<std::size_t> parent;  ///< index of the object that needed it; absent: the program
};

/// The library that `objects[needer]` means by `soname`, in the order of ld.so(8): a name with a slash as it
/// is (relative to the working directory); DT_RPATH of the needer and those that needed it, unless it has a
/// DT_RUNPATH; LD_LIBRARY_PATH; its DT_RUNPATH; the cache; the trusted directories. Files of another machine
/// are passed over.
[[nodiscard]] std::optional<std::filesystem::path> find_library(const std::string& soname,
                                                                const std::vector<LoadedObject>& objects,
                                                                std::size_t needer,
                                                                const LibraryPlaces& places);

}  // namespace ktstr::engine
