// What a document shows of a command's output, compared with what the command prints: numbers and times are
// of their moment, everything else is not.
#pragma once

#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace ktstr::test {

/// A line with its numbers, times and kernel release masked, and the width of its columns left out.
inline std::string masked(const std::string& line) {
  static const std::vector<std::pair<std::regex, std::string>> kMasks = {
      {std::regex(R"((kernel|--kernel) [0-9]\S*[^\s,])"), "$1 RELEASE"},
      {std::regex(R"((0x[0-9a-f]+)|[+-]?[0-9]+(\.[0-9]+)?( ?(ns|us|ms|s|m)\b)?)"), "$1N"},
      {std::regex(R"( +)"), " "},
  };
  auto text = line;
  for (const auto& [pattern, mask] : kMasks) text = std::regex_replace(text, pattern, mask);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The first line that is shown and that the output lacks, or has in another place; "" when there is none.
/// "..." stands for any lines; the output may have more lines anywhere but before the first.
inline std::string first_not_in(const std::string& shown, const std::string& output) {
  const auto printed = lines_of(output);
  std::size_t at = 0;
  bool anchored = true;
  for (const auto& line : lines_of(shown)) {
    if (line.find_first_not_of(" .") == std::string::npos) {
      anchored = anchored && line.empty();
      continue;
    }
    const auto wanted = masked(line);
    if (anchored && (printed.empty() || masked(printed[0]) != wanted)) return line;
    anchored = false;
    while (at < printed.size() && masked(printed[at]) != wanted) ++at;
    if (at++ == printed.size()) return line;
  }
  return "";
}

}  // namespace ktstr::test
