// What the host's /proc tells of a task, for tests that look at workers from outside.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace ktstr::engine {

inline std::string proc_text(std::int32_t tid, const std::string& file) {
  std::ifstream stream("/proc/" + std::to_string(tid) + "/" + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The text after "key:" in a file of such lines; "" when there is none.
inline std::string proc_entry(std::int32_t tid, const std::string& file, const std::string& key) {
  std::istringstream lines(proc_text(tid, file));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key + ":")) return line.substr(line.find_first_not_of(" \t", key.size() + 1));
  return {};
}

/// The number after "key:"; 0 when there is none.
inline std::uint64_t proc_number(std::int32_t tid, const std::string& file, const std::string& key) {
  const auto text = proc_entry(tid, file, key);
  return text.empty() ? 0 : std::stoull(text);
}

/// A field of /proc/PID/stat by its number in proc(5), from 3.
inline std::int64_t proc_stat(std::int32_t tid, int number) {
  const auto text = proc_text(tid, "stat");
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= number; ++i) fields >> field;
  return number == 3 || field.empty() ? 0 : std::stoll(field);
}

}  // namespace ktstr::engine
