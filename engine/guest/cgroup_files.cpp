#include "engine/guest/cgroup_files.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "engine/base/fd.h"
#include "engine/guest/clock.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::uint64_t kEventTimeoutNs = 2'000'000'000;

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
  const auto deadline = monotonic_ns() + kEventTimeoutNs;
  while (true) {
    char text[256];
    const auto got = ::pread(events.get(), text, sizeof text, 0);
    if (got < 0) return system_error("read " + path);
    if (std::string_view(text, static_cast<std::size_t>(got)).find(line) != std::string_view::npos)
      return ok();
    const auto now = monotonic_ns();
    if (now >= deadline)
      return Error{ErrorCode::kTimeout, path + " does not say \"" + std::string(line) + "\" within 2 s"};
    // The kernel tells of a change by POLLPRI.
    pollfd change{events.get(), POLLPRI, 0};
    if (::poll(&change, 1, static_cast<int>((deadline - now) / 1'000'000 + 1)) < 0 && errno != EINTR)
      return system_error("poll " + path);
  }
}

}  // namespace ktstr::engine::guest
