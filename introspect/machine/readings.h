// Readings: one row per CPU, cgroup or node, and what kept other rows from being read.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::introspect {

/// A row is there only when all its required values could be read. Each problem is a sentence that names the
/// row that is missing, or says that the rows are not all there are.
template <class Row>
struct Readings {
  std::vector<Row> rows;
  std::vector<std::string> problems;

  void add(Result<Row> row) {
    if (row)
      rows.push_back(*std::move(row));
    else
      problems.push_back(std::move(row.error().message));
  }
};

}  // namespace ktstr::introspect
