// FailureDump: a dump file's contents, whatever its schema, and the files themselves.
#pragma once

#include <filesystem>
#include <string_view>
#include <variant>

#include "engine/base/result.h"
#include "introspect/dump/degraded.h"
#include "introspect/dump/dual.h"
#include "introspect/dump/report.h"

namespace ktstr::introspect {

using FailureDump = std::variant<FailureDumpReport, DualFailureDumpReport, DegradedFailureDumpReport>;

/// Writes a dump as JSON, in one pass and with a buffer of fixed size. The file is whole and on disk, or (on
/// an error, kIo) not there.
[[nodiscard]] Status write_dump(const std::filesystem::path& path, const FailureDump& dump);

/// Parses a dump. `note`: what was left out because a newer ktstr wrote it, in a line; empty when nothing
/// was. Errors (kCorrupt) say what is wrong and where: no JSON, no dump of ours, a schema that this version
/// does not know, a member that its format does not have, a value of a wrong kind. kUnavailable: another
/// major version of the format.
[[nodiscard]] Result<FailureDump> parse_dump(std::string_view json, std::string* note = nullptr);
/// The same from a file. Errors besides: kNotFound, kIo.
[[nodiscard]] Result<FailureDump> read_dump(const std::filesystem::path& path, std::string* note = nullptr);

}  // namespace ktstr::introspect
