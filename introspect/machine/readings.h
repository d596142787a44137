// Readings: one row per CPU, cgroup or node, and what kept other rows from being read.
#pragma once

#include <string>
#include <vector>

namespace ktstr::introspect {

/// A row is there only when all its required values could be read. Each problem is a sentence that names the
/// row that is missing, or says that the rows are not all there are.
template <class Row>
struct Readings {
  std::vector<Row> rows;
  std::vector<std::string> problems;
};

}  // namespace ktstr::introspect
