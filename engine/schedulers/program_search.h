// Finding a scheduler's program by the path or name that a scenario gives.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::engine {

/// Where programs are looked for. `base`: the scenario's folder; relative paths start there.
struct ProgramPlaces {
  std::filesystem::path base;
  std::vector<std::filesystem::path> directories;  ///< for names, in order

  /// The script's folder, that of this executable, then PATH.
  [[nodiscard]] static ProgramPlaces of_script(const std::filesystem::path& script);
};

/// The absolute path of the program: `name` with a slash is a path, without one it is looked for in the
/// directories. Errors: kNotFound (names the nearest program there is), kInvalidArgument for a directory, a
/// file that may not be executed, or one that is no ELF program.
[[nodiscard]] Result<std::filesystem::path> find_program(const std::string& name,
                                                         const ProgramPlaces& places);

}  // namespace ktstr::engine
