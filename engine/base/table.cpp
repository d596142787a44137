#include "engine/base/table.h"

#include <algorithm>
#include <numeric>

#include "engine/base/check.h"
#include "engine/base/printable.h"

namespace ktstr {
namespace {

constexpr std::size_t kNarrowest = 12;  ///< what the first column is not cut below
constexpr std::size_t kWidest = 512;    ///< every line would be as wide as the longest name
constexpr std::string_view kGap = "  ";

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

}  // namespace

Table::Table(const std::vector<std::string>& header, std::size_t left, const TableStyle& style)
    : rows_{{header.begin(), header.end()}}, left_(left), style_(style) {}

void Table::add(std::vector<Cell> row) {
  KTSTR_CHECK(row.size() == rows_.front().size());
  for (auto& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], std::min(kWidest, text_width(row[i].text)));
  const auto gaps = style_.indent + kGap.size() * (widths.size() - 1);
  const auto total = std::accumulate(widths.begin(), widths.end(), gaps);
  if (style_.width > 0 && total > style_.width) {
    const auto over = total - style_.width;
    widths[0] = std::min(widths[0], std::max(kNarrowest, widths[0] - std::min(over, widths[0])));
  }
  return widths;
}

std::string Table::to_string() const {
  const auto widths = this->widths();
  const Paint paint(style_.colour);
  std::string table;
  for (const auto& row : rows_) {
    std::string line(style_.indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto text = cut(row[i].text, widths[i]);
      const std::string padding(widths[i] - text_width(text), ' ');
      const auto shown = row[i].warns             ? paint.paint(kRed, text)
                         : &row == &rows_.front() ? paint.heading(text)
                                                  : text;
      if (i > 0) line += kGap;
      line += i < left_ ? shown + padding : padding + shown;
    }
    table += line.erase(line.find_last_not_of(' ') + 1) + '\n';
  }
  return table;
}

}  // namespace ktstr
