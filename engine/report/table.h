// Table: columns of text that line up.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ktstr::engine {

/// The first `left` columns are aligned to the left, the others to the right, as numbers are.
class Table {
 public:
  Table(std::vector<std::string> header, std::size_t left);

  /// Precondition: as many cells as the header has. What is in cells is made printable.
  void add(std::vector<std::string> row);
  /// Each line indented by two spaces, without blanks at its end.
  [[nodiscard]] std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::size_t left_;
};

}  // namespace ktstr::engine
