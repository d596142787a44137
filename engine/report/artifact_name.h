// Names of the files that a run leaves beside its report.
#pragma once

#include <string>
#include <string_view>

namespace ktstr::engine {

/// A text that somebody chose as a part of a file's name: anything but letters, digits, '.', '_' and '-' as
/// '_'.
[[nodiscard]] std::string file_name_part(std::string_view text);

/// "SCENARIO.NAME", both made fit for a file's name.
[[nodiscard]] std::string artifact_name(std::string_view scenario, std::string_view name);

}  // namespace ktstr::engine
