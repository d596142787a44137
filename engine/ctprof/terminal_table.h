// Tables of text that fit a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ktstr::engine {

struct TableStyle {
  bool colour = false;
  /// Columns of the terminal; 0: lines may be of any length.
  std::size_t width = 0;
};

/// One cell; `warn` shows it in red where there is colour.
struct Cell {
  std::string text;
  bool warn = false;

  Cell(std::string cell_text, bool cell_warn = false) : text(std::move(cell_text)), warn(cell_warn) {}
  Cell(const char* cell_text) : text(cell_text) {}
};

/// A title line and a line for each row. What is in cells is made printable. The first column is cut (with
/// "~") when lines would be wider than the terminal, every cell at 512 characters; columns of `left` are
/// aligned to the left, others to the right.
[[nodiscard]] std::string terminal_table(const std::vector<std::string>& titles,
                                         std::vector<std::vector<Cell>> rows, std::size_t left,
                                         const TableStyle& style);

}  // namespace ktstr::engine
