// What an ELF program or shared library asks of the dynamic loader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::engine {

/// Search lists are as they stand in the file, split at ':' and with $ORIGIN, $LIB and $PLATFORM still in
/// them. An object with a DT_RUNPATH has no `rpath`: the loader ignores it then (ld.so(8)).
struct DynamicSection {
  std::uint16_t machine = 0;               ///< e_machine
  std::optional<std::string> interpreter;  ///< PT_INTERP
  std::vector<std::string> needed;         ///< DT_NEEDED, in order
  std::vector<std::string> rpath;
  std::vector<std::string> runpath;
};

/// The folders of a list such as PATH: what stands between ':', if it is not empty.
[[nodiscard]] std::vector<std::string> split_path(std::string_view list);

/// Errors: kNotFound and kIo for the file; kInvalidArgument "not an ELF program" for anything but a 64-bit
/// little-endian executable or shared object; kCorrupt for damaged tables.
[[nodiscard]] Result<DynamicSection> read_dynamic_section(const std::filesystem::path& file);

}  // namespace ktstr::engine
