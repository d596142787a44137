// Pieces of annotations for the Lua language server.
#pragma once

#include <string>

#include "lua/reference/catalogue.h"

namespace ktstr::lua {

/// The first lines of a module's file.
[[nodiscard]] std::string annotation_heading(const std::string& module);

/// A class with a record's fields.
[[nodiscard]] std::string class_annotation(const RecordDoc& record, const std::string& name,
                                           const std::string& parent = "");

}  // namespace ktstr::lua
