// Loading a scenario whose only step runs given ops.
#pragma once

#include <string>

#include "engine/scenario/load.h"

namespace ktstr::engine {

/// `ops`: JSON objects with commas between. "ok", or the error behind "steps[1].ops".
inline std::string ops_outcome(const std::string& ops, const std::string& hold = "1") {
  const auto scenario =
      load_scenario(*parse_json(R"({"steps": [{"ops": [)" + ops + R"(], "hold": )" + hold + "}]}"));
  return scenario ? "ok" : scenario.error().text().substr(std::string("steps[1].ops").size());
}

}  // namespace ktstr::engine
