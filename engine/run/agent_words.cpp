#include "engine/run/agent_words.h"

namespace ktstr::engine {

std::optional<std::string> agents_last_words(std::string_view console) {
  constexpr std::string_view kName = "ktstr-agent: ";  // engine/guest/main.cpp, complain()
  std::optional<std::string> words;
  while (!console.empty()) {
    const auto end = console.find('\n');
    auto line = console.substr(0, end);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(kName)) words = line.substr(kName.size());
    console.remove_prefix(end == std::string_view::npos ? console.size() : end + 1);
  }
  return words;
}

}  // namespace ktstr::engine
