// Tables and colour for a terminal: columns of text that line up, and words that stand out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ktstr {

/// SGR parameters (ECMA-48, 8.3.117).
struct Look {
  std::string_view parameters;
};
constexpr Look kBold{"1"}, kRed{"31"}, kBoldRed{"1;31"}, kBoldGreen{"1;32"}, kBoldYellow{"1;33"},
    kBoldCyan{"1;36"};

class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string paint(Look look, std::string_view text) const {
    if (!on_) return std::string(text);
    return std::string("\033[").append(look.parameters).append("m").append(text).append("\033[0m");
  }
  [[nodiscard]] std::string alarm(std::string_view text) const { return paint(kBoldRed, text); }
  [[nodiscard]] std::string heading(std::string_view text) const { return paint(kBold, text); }

 private:
  bool on_;
};

struct TableStyle {
  /// The header is bold, and cells that warn are red.
  bool colour = false;
  /// Columns of the terminal; 0: lines may be of any length.
  std::size_t width = 0;
  /// Blanks before each line.
  std::size_t indent = 0;
};
/// As part of a report.
constexpr TableStyle kIndented{.indent = 2};

struct Cell {
  std::string text;
  bool warns = false;

  Cell(std::string cell_text, bool cell_warns = false) : text(std::move(cell_text)), warns(cell_warns) {}
  Cell(const char* cell_text) : text(cell_text) {}
};

/// The first column is cut (with "~") when lines would be wider than the terminal, every cell at 512
/// characters.
class Table {
 public:
  /// The first `left` columns are aligned to the left, the others to the right, as numbers are.
  Table(const std::vector<std::string>& header, std::size_t left, const TableStyle& style = {});

  /// Precondition: as many cells as the header has. What is in cells is made printable.
  void add(std::vector<Cell> row);
  /// Lines without blanks at their end.
  [[nodiscard]] std::string to_string() const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<std::vector<Cell>> rows_;  ///< the header first
  std::size_t left_;
  TableStyle style_;
};

}  // namespace ktstr
