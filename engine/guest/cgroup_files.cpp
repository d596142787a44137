#include "engine/guest/cgroup_files.h"

#include <fcntl.h>

#include "engine/base/io.h"

namespace ktstr::engine::guest {
namespace {

constexpr Duration kEventTimeout = std::chrono::seconds(2);
constexpr std::size_t kMostBytes = 4096;

}  // namespace

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const auto end = text.find_first_of(" \n");
    if (text.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

bool is_below(std::string_view name, std::string_view ancestor) {
  return name.size() > ancestor.size() && name.starts_with(ancestor) && name[ancestor.size()] == '/';
}

std::vector<std::string> path_to(std::string_view name) {
  std::vector<std::string> path;
  for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/', slash + 1))
    path.emplace_back(name.substr(0, slash));
  path.emplace_back(name);
  return path;
}

Status wait_for_event(const std::string& path, std::string_view line) {
  const Fd events(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!events) return system_error("open " + path);
  const auto deadline = deadline_after(kEventTimeout);
  while (KTSTR_TRY(read_file(events.get(), kMostBytes, path)).text.find(line) == std::string::npos) {
    // The kernel tells of a change by POLLPRI.
    pollfd change{events.get(), POLLPRI, 0};
    const int ready = poll_until(std::span(&change, 1), deadline);
    if (ready < 0) return system_error("poll " + path);
    if (ready == 0)
      return Error{ErrorCode::kTimeout, path + " does not say \"" + std::string(line) + "\" within 2 s"};
  }
  return ok();
}

}  // namespace ktstr::engine::guest
