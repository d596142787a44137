#include <string>

#include "engine/guest/cgroup.h"
#include "engine/guest/cgroup_files.h"
#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {

Result<std::string> find_own_cgroup() {
  const auto membership = KTSTR_TRY(read_file("/proc/self/cgroup", kControlFileLimit)).text;
  const auto mounts = KTSTR_TRY(read_file("/proc/self/mounts", kControlFileLimit)).text;
  const Error absent{ErrorCode::kUnavailable, "no cgroup v2 hierarchy is mounted"};
  // "0::/path" in the one, "cgroup2 /mount/point cgroup2 ..." in the other.
  const auto line = membership.starts_with("0::") ? 0 : membership.find("\n0::") + 1;
  if (line == 0 && !membership.starts_with("0::")) return absent;
  const auto path = membership.substr(line + 3, membership.find('\n', line) - line - 3);
  const auto type = mounts.find(" cgroup2 ");
  if (type == std::string::npos) return absent;
  const auto target = mounts.rfind(' ', type - 1) + 1;
  return mounts.substr(target, type - target) + (path == "/" ? "" : path);
}

}  // namespace ktstr::engine::guest
