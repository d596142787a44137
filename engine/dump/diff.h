// What is different between two dumps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "introspect/dump/dump.h"

namespace ktstr::engine {

/// One difference. Absent `before`: only the second dump has it; absent `after`: only the first.
struct DumpDifference {
  std::string path;  ///< "maps[scx_ktst.bss].value.nr_enqueued", "task_enrichments[pid 12].nvcsw"
  std::optional<std::string> before{};
  std::optional<std::string> after{};

  /// "path: 3 -> 5 (+2)", "+ path: 5", "- path: 3"
  [[nodiscard]] std::string to_text() const;
};

/// In the order of the report's members. Elements of lists are matched by what names them (a task's pid, a
/// map's name, a key), else by position. Addresses, times of the dump itself and the event timeline are left
/// out: they always differ. Error (kCorrupt): values nested too deep to compare.
[[nodiscard]] Result<std::vector<DumpDifference>> diff(const introspect::FailureDump& before,
                                                       const introspect::FailureDump& after);

}  // namespace ktstr::engine
