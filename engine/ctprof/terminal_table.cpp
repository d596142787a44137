#include "engine/ctprof/terminal_table.h"

#include <algorithm>
#include <numeric>

#include "engine/base/printable.h"

namespace ktstr::engine {
namespace {

constexpr std::size_t kNarrowest = 12;  ///< what the first column is not cut below
constexpr std::size_t kWidest = 512;    ///< every line would be as wide as the longest name
constexpr std::string_view kGap = "  ";
constexpr std::string_view kBold = "\033[1m", kRed = "\033[31m", kPlain = "\033[0m";

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

/// The first characters of the text, and "~" in the place of the others.
std::string cut(const std::string& text, std::size_t width) {
  if (text_width(text) <= width) return text;
  std::size_t characters = 0, bytes = 0;
  while (bytes < text.size() && (characters += begins_character(text[bytes])) < width) ++bytes;
  return text.substr(0, bytes) + "~";
}

std::vector<std::size_t> widths_of(const std::vector<std::string>& titles,
                                   const std::vector<std::vector<Cell>>& rows, std::size_t terminal) {
  std::vector<std::size_t> widths;
  for (const auto& title : titles) widths.push_back(text_width(title));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i)
      widths[i] = std::max(widths[i], std::min(kWidest, text_width(row[i].text)));
  const auto total = std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
  if (terminal > 0 && total > terminal) {
    const auto over = total - terminal;
    widths[0] = std::min(widths[0], std::max(kNarrowest, widths[0] - std::min(over, widths[0])));
  }
  return widths;
}

class Printer {
 public:
  Printer(std::vector<std::size_t> widths, std::size_t left, bool colour)
      : widths_(std::move(widths)), left_(left), colour_(colour) {}

  void line(const std::vector<Cell>& cells, std::string_view style) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto text = cut(cells[i].text, widths_[i]);
      const std::string padding(widths_[i] - text_width(text), ' ');
      const auto look = cells[i].warn ? kRed : style;
      const auto shown = colour_ && !look.empty() ? std::string(look).append(text).append(kPlain) : text;
      line += i < left_ ? shown + padding : padding + shown;
      if (i + 1 < cells.size()) line += kGap;
    }
    text_ += line.erase(line.find_last_not_of(' ') + 1) + '\n';
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::vector<std::size_t> widths_;
  std::size_t left_;
  bool colour_;
  std::string text_;
};

}  // namespace

std::string terminal_table(const std::vector<std::string>& titles, std::vector<std::vector<Cell>> rows,
                           std::size_t left, const TableStyle& style) {
  for (auto& row : rows)
    for (auto& cell : row) cell.text = printable(cell.text);
  Printer printer(widths_of(titles, rows, style.width), left, style.colour);
  printer.line({titles.begin(), titles.end()}, kBold);
  for (const auto& row : rows) printer.line(row, {});
  return std::move(printer).text();
}

}  // namespace ktstr::engine
