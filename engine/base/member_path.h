// Paths to members of a tree, as errors show them: "cgroups.web", "steps[1]".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ktstr {

[[nodiscard]] inline std::string member_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

/// `index` counts from 0; paths count from 1, as Lua does.
[[nodiscard]] inline std::string element_path(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index + 1) + "]";
}

}  // namespace ktstr
