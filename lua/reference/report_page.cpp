#include "engine/report/run_report.h"
#include "lua/reference/markdown.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {

std::string report_page() {
  Catalogue catalogue;
  catalogue.add<engine::RunReport>(Defaults::kNone);
  std::string text =
      std::string(kGenerated) + "# The report\n\n" +
      "What `--json` writes and `check(report)` gets. Absent is `null` in JSON and `nil` in Lua, never 0.\n"
      "In Lua, whole numbers beyond 2^53 are LuaJIT's 64-bit integers.\n\n";
  for (const auto& record : catalogue.records()) text += section(record, record.name);
  return text;
}

}  // namespace ktstr::lua
