#include "engine/report/table.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/printable.h"

namespace ktstr::engine {

Table::Table(std::vector<std::string> header, std::size_t left) : rows_{std::move(header)}, left_(left) {}

void Table::add(std::vector<std::string> row) {
  KTSTR_CHECK(row.size() == rows_.front().size());
  for (auto& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::to_string() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], text_width(row[i]));
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - text_width(row[i]), ' ');
      line += "  " + (i < left_ ? row[i] + padding : padding + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace ktstr::engine
