#include "engine/base/table.h"

#include <doctest/doctest.h>

namespace ktstr {
namespace {

std::string text_of(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
                    std::size_t left, const TableStyle& style) {
  Table table(header, left, style);
  for (const auto& row : rows) table.add(row);
  return table.to_string();
}

}  // namespace

TEST_CASE("what is in cells is shown, not obeyed, and does not shift columns") {
  CHECK(text_of({"NAME", "N"}, {{"a\n\x1b[31mb\x7f", "1"}, {"\u202e", "23"}}, 1, {}) ==
        "NAME               N\n"
        "a\\n\\x1b[31mb\\x7f   1\n"
        "\\u202e            23\n");
}

TEST_CASE("columns line up by characters, not by bytes") {
  CHECK(text_of({"NAME", "N"}, {{"caf\xc3\xa9", "1"}, {"ab", "23"}}, 1, {}) ==
        "NAME   N\n"
        "caf\xc3\xa9   1\n"
        "ab    23\n");
}

TEST_CASE("the first column is cut to the terminal, down to a width") {
  const std::vector<std::vector<Cell>> rows = {{"a-rather-long-name-of-a-group", "12345"}};
  CHECK(text_of({"GROUP", "N"}, rows, 1, {false, 24}) ==
        "GROUP                  N\n"
        "a-rather-long-na~  12345\n");
  CHECK(text_of({"GROUP", "N"}, rows, 1, {false, 5}) ==
        "GROUP             N\n"
        "a-rather-lo~  12345\n");
}

TEST_CASE("no cell makes every line endless") {
  const auto table = text_of({"GROUP", "N"}, {{std::string(100'000, 'x'), "1"}, {"a", "2"}}, 1, {});
  CHECK(table.size() < 2000);
  CHECK(table.find("x~  1\n") != std::string::npos);
}

TEST_CASE("titles are bold and warnings red where there is colour") {
  CHECK(text_of({"A"}, {{Cell("x", true)}}, 1, {true, 0}) == "\033[1mA\033[0m\n\033[31mx\033[0m\n");
}

TEST_CASE("a table in a report is indented and has no blanks at the ends of its lines") {
  CHECK(text_of({"name", "n"}, {{"a", "100"}, {"longer", ""}}, 1, kIndented) ==
        "  name      n\n  a       100\n  longer\n");
}

}  // namespace ktstr
