#include "engine/guest/cgroup_files.h"

#include <fcntl.h>

#include "engine/base/io.h"

namespace ktstr::engine::guest {
namespace {

constexpr Duration kEventTimeout = std::chrono::seconds(2);
constexpr std::size_t kMostEventBytes = 4096;

}  // namespace

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
  while (KTSTR_TRY(read_file(events.get(), kMostEventBytes, path)).text.find(line) == std::string::npos) {
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
