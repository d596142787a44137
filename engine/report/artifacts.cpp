#include "engine/report/artifacts.h"

#include <algorithm>

namespace ktstr::engine {

std::string file_name_part(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  std::string part(text);
  std::replace_if(
      part.begin(), part.end(), [&](char c) { return kAllowed.find(c) == std::string_view::npos; }, '_');
  return part;
}

std::string artifact_name(std::string_view scenario, std::string_view name) {
  return file_name_part(scenario) + "." + file_name_part(name);
}

}  // namespace ktstr::engine
