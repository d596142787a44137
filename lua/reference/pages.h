// The reference pages and editor annotations that are made from describe<> and the table of metrics.
#pragma once

#include <string>
#include <vector>

namespace ktstr::lua {

struct Page {
  std::string path;  ///< from the project's root
  std::string text;
};

/// docs/reference/*.md and lua/types/*.lua.
[[nodiscard]] std::vector<Page> reference_pages();

/// The text of one page each.
[[nodiscard]] std::string scenario_page();
[[nodiscard]] std::string constructors_page();
[[nodiscard]] std::string report_page();
[[nodiscard]] std::string metrics_page();
[[nodiscard]] std::string scenario_annotations();
[[nodiscard]] std::string report_annotations();
[[nodiscard]] std::string dump_annotations();
[[nodiscard]] std::string ctprof_annotations();

}  // namespace ktstr::lua
