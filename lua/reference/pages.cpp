#include "lua/reference/pages.h"

namespace ktstr::lua {

std::vector<Page> reference_pages() {
  return {{"docs/reference/scenario.md", scenario_page()},
          {"docs/reference/constructors.md", constructors_page()},
          {"docs/reference/report.md", report_page()},
          {"docs/reference/metrics.md", metrics_page()},
          {"lua/types/ktstr.lua", scenario_annotations()},
          {"lua/types/report.lua", report_annotations()},
          {"lua/types/dump.lua", dump_annotations()},
          {"lua/types/ctprof.lua", ctprof_annotations()}};
}

}  // namespace ktstr::lua
