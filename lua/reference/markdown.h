// Tables of fields as Markdown.
#pragma once

#include <string>

#include "lua/reference/catalogue.h"

namespace ktstr::lua {

inline constexpr const char* kGenerated =
    "<!-- Made by `ktstr docs` from describe<>; edit the descriptions instead. -->\n\n";

/// "| field | type | default | |" and a row for each field; without the column of defaults when none has one.
[[nodiscard]] std::string field_table(const RecordDoc& record);

/// A heading, the record's sentence and its fields.
[[nodiscard]] std::string section(const RecordDoc& record, std::string_view heading);

}  // namespace ktstr::lua
