#include "engine/protocol/cgroup_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/base/printable.h"

namespace ktstr::engine::protocol {
namespace {

constexpr std::size_t kLongestPart = 255;   // NAME_MAX (include/uapi/linux/limits.h)
constexpr std::size_t kLongestName = 3072;  // with the agent's root and a control file below PATH_MAX, 4096
constexpr std::size_t kDeepest = 32;
constexpr std::string_view kKernelPrefixes[] = {"cgroup.", "cpu.",  "cpuset.",  "memory.",
                                                "pids.",   "io.",   "hugetlb.", "rdma.",
                                                "misc.",   "dmem.", "irq.",     "perf_event."};

const char* fault_of_part(std::string_view part) {
  if (part.empty()) return "a part between slashes is empty";
  if (part == "." || part == "..") return "\".\" and \"..\" are not allowed";
  if (part.size() > kLongestPart) return "a part between slashes is longer than 255 bytes";
  if (printable(part) != part) return "control and invisible characters are not allowed";
  for (const auto prefix : kKernelPrefixes)
    if (part.starts_with(prefix)) return "it would collide with the kernel's own files";
  return nullptr;
}

const char* fault_of(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) >= kDeepest)
    return "it is nested deeper than 32";
  while (true) {
    const auto slash = name.find('/');
    if (const auto* fault = fault_of_part(name.substr(0, slash))) return fault;
    if (slash == std::string_view::npos) return nullptr;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

Status check_cgroup_name(std::string_view name) {
  if (name.size() > kLongestName)
    return invalid_argument(
        fmt::format("a cgroup name of {} bytes is longer than {}", name.size(), kLongestName));
  static_assert(kDeepest == 32 && kLongestPart == 255, "messages name these");
  if (const auto* fault = fault_of(name))
    return invalid_argument("\"" + std::string(name) + "\" is not a cgroup name: " + fault);
  return ok();
}

}  // namespace ktstr::engine::protocol
