#include "engine/scenario/cgroup_tree.h"

#include <utility>
#include <vector>

#include "engine/base/nearest.h"
#include "engine/base/result.h"
#include "engine/protocol/cgroup_name.h"

namespace ktstr::engine {
namespace {

constexpr std::size_t kMostCgroups = 4096;

std::string quoted(std::string_view name) {
  return "cgroup \"" + std::string(name) + "\"";
}

/// "web" for "web/api"; nothing for "web".
std::optional<std::string> parent_of(std::string_view name) {
  const auto slash = name.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return std::string(name.substr(0, slash));
}

}  // namespace

Status CgroupTree::add(const std::string& name, const std::optional<CpuSet>& cpuset) {
  KTSTR_TRY(protocol::check_cgroup_name(name));
  if (cgroups_.contains(name)) return invalid_argument(quoted(name) + " exists already");
  if (const auto parent = parent_of(name)) {
    KTSTR_TRY(check_exists(*parent));
    if (cgroups_.at(*parent).workers > 0)
      return invalid_argument(
          quoted(*parent) +
          " holds workers, so no cgroup can be inside it (cgroup v2 keeps tasks in leaves)");
  }
  KTSTR_TRY(check_room(1));
  cgroups_[name].cpuset = cpuset;
  auto status = check_cpuset(name);
  if (!status) cgroups_.erase(name);
  return status;
}

Status CgroupTree::remove(const std::string& name) {
  KTSTR_TRY(check_exists(name));
  if (const auto child = child_of(name))
    return invalid_argument(quoted(*child) + " is still inside " + quoted(name));
  cgroups_.erase(name);
  return ok();
}

void CgroupTree::end(const std::string& name, std::size_t step) {
  const auto inside = name + "/";
  std::erase_if(cgroups_, [&](const auto& entry) {
    const bool ends = entry.first == name || entry.first.starts_with(inside);
    if (ends) ended_[entry.first] = step;
    return ends;
  });
}

Status CgroupTree::set_cpuset(const std::string& name, const std::optional<CpuSet>& cpuset) {
  KTSTR_TRY(check_exists(name));
  auto& cgroup = cgroups_.at(name);
  const auto before = std::exchange(cgroup.cpuset, cpuset);
  auto status = check_below(name);
  if (!status) cgroup.cpuset = before;
  return status;
}

Status CgroupTree::swap_cpusets(const std::string& a, const std::string& b) {
  KTSTR_TRY(check_has_cpuset(a));
  KTSTR_TRY(check_has_cpuset(b));
  if (a == b) return invalid_argument("the two cgroups are the same");
  const auto swap = [&] { std::swap(cgroups_.at(a).cpuset, cgroups_.at(b).cpuset); };
  swap();
  auto status = check_below(a);
  if (status) status = check_below(b);
  if (!status) swap();
  return status;
}

std::optional<CpuSet> CgroupTree::cpuset(std::string_view name) const {
  for (std::optional<std::string> at(name); at; at = parent_of(*at))
    if (const auto found = cgroups_.find(*at); found != cgroups_.end() && found->second.cpuset)
      return found->second.cpuset;
  return std::nullopt;
}

Status CgroupTree::spawn(const std::string& name, std::uint32_t workers) {
  KTSTR_TRY(check_takes_workers(name));
  cgroups_.at(name).workers += workers;
  return ok();
}

Status CgroupTree::stop(const std::string& name) {
  KTSTR_TRY(check_exists(name));
  cgroups_.at(name).workers = 0;
  return ok();
}

Status CgroupTree::move_tasks(const std::string& from, const std::string& to) {
  const auto count = KTSTR_TRY(workers(from));
  KTSTR_TRY(check_takes_workers(to));
  if (from == to) return invalid_argument("the two cgroups are the same");
  cgroups_.at(from).workers = 0;
  cgroups_.at(to).workers += count;
  return ok();
}

Status CgroupTree::set_frozen(const std::string& name, bool frozen) {
  KTSTR_TRY(check_exists(name));
  cgroups_.at(name).frozen = frozen;
  return ok();
}

Result<std::uint32_t> CgroupTree::workers(const std::string& name) const {
  KTSTR_TRY(check_exists(name));
  const auto count = cgroups_.at(name).workers;
  if (count == 0) return invalid_argument(quoted(name) + " has no workers at this point");
  return count;
}

Status CgroupTree::check_room(std::size_t more) const {
  if (more <= kMostCgroups && cgroups_.size() <= kMostCgroups - more) return ok();
  return invalid_argument("there are more than " + std::to_string(kMostCgroups) + " cgroups at once");
}

Status CgroupTree::check_exists(const std::string& name) const {
  if (cgroups_.contains(name)) return ok();
  if (const auto ended = ended_.find(name); ended != ended_.end())
    return invalid_argument(quoted(name) + " ended with step " + std::to_string(ended->second) +
                            ", whose setup made it: keep = true in that step lets it stay");
  std::vector<std::string_view> known;
  for (const auto& [existing, cgroup] : cgroups_) known.push_back(existing);
  return invalid_argument(quoted(name) + " does not exist at this point" + did_you_mean(name, known));
}

Status CgroupTree::check_has_cpuset(const std::string& name) const {
  KTSTR_TRY(check_exists(name));
  if (cgroups_.at(name).cpuset) return ok();
  return invalid_argument(quoted(name) + " has no cpuset at this point");
}

Status CgroupTree::check_takes_workers(const std::string& name) const {
  KTSTR_TRY(check_exists(name));
  if (const auto child = child_of(name))
    return invalid_argument(quoted(name) + " has " + quoted(*child) +
                            " inside, so it can't hold workers (cgroup v2 keeps tasks in leaves)");
  if (cgroups_.at(name).frozen) return invalid_argument(quoted(name) + " is frozen at this point");
  return ok();
}

std::optional<std::string> CgroupTree::child_of(const std::string& name) const {
  const auto prefix = name + "/";
  const auto next = cgroups_.lower_bound(prefix);
  if (next == cgroups_.end() || !next->first.starts_with(prefix)) return std::nullopt;
  return next->first;
}

Status CgroupTree::check_cpuset(const std::string& name) const {
  const auto& own = cgroups_.at(name).cpuset;
  const auto parent = parent_of(name);
  const auto outer = parent ? cpuset(*parent) : std::nullopt;
  if (!own || !outer || !(*own & *outer).empty()) return ok();
  return invalid_argument("no CPU of " + quoted(name) + " (" + own->to_string() +
                          ") lies in the cpuset of its parent (" + outer->to_string() + ")");
}

Status CgroupTree::check_below(const std::string& name) const {
  KTSTR_TRY(check_cpuset(name));
  const auto prefix = name + "/";
  for (auto at = cgroups_.lower_bound(prefix); at != cgroups_.end() && at->first.starts_with(prefix); ++at)
    KTSTR_TRY(check_cpuset(at->first));
  return ok();
}

}  // namespace ktstr::engine
