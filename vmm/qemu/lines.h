// Splitting a text into lines.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace ktstr::vmm::qemu {

/// The lines of `text` without line ends ("\n" or "\r\n") and leading blanks.
[[nodiscard]] inline std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    lines.push_back(line);
  }
  return lines;
}

}  // namespace ktstr::vmm::qemu
