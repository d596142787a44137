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

/// Parses a dump. Errors (kCorrupt) say what is wrong and where: no JSON, no dump of ours, a schema or a
/// member that this version does not know, a value of a wrong kind.
[[nodiscard]] Result<FailureDump> parse_dump(std::string_view json);
/// The same from a file. Errors besides: kNotFound, kIo.
[[nodiscard]] Result<FailureDump> read_dump(const std::filesystem::path& path);

}  // namespace ktstr::introspect
