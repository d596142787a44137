// README and docs as tests read them: blocks, pieces of code, and commands.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace ktstr::test {

struct Document {
  std::filesystem::path path;
  std::string text;
};

inline std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<Document> documents() {
  const std::filesystem::path root = KTSTR_ROOT;
  std::vector<Document> found{{root / "README.md", content(root / "README.md")}};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") found.push_back({entry.path(), content(entry.path())});
  return found;
}

inline std::vector<std::smatch> matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), {}};
}

/// The inside of blocks between lines "```LANGUAGE" and "```".
inline std::vector<std::string> blocks(const std::string& text, const std::string& language) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  bool in_block = false, wanted = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      in_block = !in_block;
      wanted = in_block && line.substr(3) == language;
      if (wanted) found.emplace_back();
    } else if (wanted) {
      found.back() += line + "\n";
    }
  }
  return found;
}

/// Code in a document: spans, and lines of blocks without a language.
inline std::vector<std::string> code_in(const std::string& text) {
  static const std::regex kSpan("`([^`\n]+)`");
  std::vector<std::string> found;
  for (const auto& span : matches(text, kSpan)) found.push_back(span[1]);
  for (const auto& block : blocks(text, "")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line);) found.push_back(line);
  }
  return found;
}

inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

/// What stands behind "ktstr" in a piece of code; nothing when it is about something else.
inline std::vector<std::string> words_behind_ktstr(const std::string& code) {
  static const std::regex kCall(R"(^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?ktstr( [^#]*)?)");
  std::smatch call;
  if (!std::regex_search(code, call, kCall) || !call[1].matched) return {};
  return split(call[1], ' ');
}

}  // namespace ktstr::test
