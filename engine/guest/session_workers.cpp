// Session's requests that concern workers.
#include <fmt/format.h>

#include "engine/guest/placement.h"
#include "engine/guest/session.h"

namespace ktstr::engine::guest {

using namespace protocol;

namespace {

bool is_in(const std::vector<std::string>& names, const std::optional<std::string>& name) {
  return name && std::find(names.begin(), names.end(), *name) != names.end();
}

}  // namespace

Result<Spawned> Session::handle(SpawnWorkers& request) {
  return Spawned{KTSTR_TRY(workers_.spawn(request))};
}

Status Session::handle(const SetCpuset& request) {
  KTSTR_TRY(cgroups_.check(request.cgroup));
  return workers_.change_placement(cgroups_.subtree(request.cgroup),
                                   [&] { return cgroups_.set_cpuset(request.cgroup, request.cpus); });
}

Result<Stopped> Session::handle(const StopWorkers& request) {
  if (request.cgroup) {
    KTSTR_TRY(cgroups_.thaw_path(*request.cgroup));
    return Stopped{workers_.stop([&](const Worker& worker) { return worker.cgroup == request.cgroup; })};
  }
  KTSTR_TRY(cgroups_.thaw_all());
  return Stopped{workers_.stop([](const Worker&) { return true; })};
}

Result<Stopped> Session::handle(const RemoveCgroup& request) {
  KTSTR_TRY(cgroups_.check(request.cgroup));
  const auto names = cgroups_.subtree(request.cgroup);
  for (const auto& name : names) KTSTR_TRY(cgroups_.thaw_path(name));
  Stopped stopped{workers_.stop([&](const Worker& worker) { return is_in(names, worker.cgroup); })};
  KTSTR_TRY(cgroups_.remove(request.cgroup));
  return stopped;
}

Status Session::handle(const SetAffinity& request) {
  KTSTR_TRY(cgroups_.check(request.cgroup));
  const auto workers = workers_.in_cgroup(request.cgroup);
  if (workers.size() != request.affinities.size())
    return invalid_argument(fmt::format("the cgroup \"{}\" has {} workers, not {}", request.cgroup,
                                        workers.size(), request.affinities.size()));
  for (std::size_t i = 0; i < workers.size(); ++i)
    if (!workers[i]->ending) {
      KTSTR_TRY(set_affinity(workers[i]->pid, request.affinities[i]));
      workers[i]->affinities.push_back(request.affinities[i].to_string());
    }
  return ok();
}

Result<CgroupProcs> Session::handle(const CaptureCgroupProcs&) {
  CgroupProcs procs;
  for (const auto& name : cgroups_.names()) procs.cgroups[name] = KTSTR_TRY(cgroups_.processes(name));
  return procs;
}

Status Session::handle(const MoveTasks& request) {
  if (!request.from) return move_from_own(request.to);
  const auto move = [&]() -> Status {
    const auto workers = workers_.in_cgroup(request.from);
    KTSTR_TRY(cgroups_.move_all(*request.from, request.to));
    for (auto* worker : workers) worker->cgroup = request.to;
    return ok();
  };
  return workers_.change_placement({*request.from}, move);
}

Status Session::move_from_own(const std::optional<std::string>& to) {
  const auto workers = workers_.in_cgroup(std::nullopt);
  std::vector<pid_t> pids;
  for (const auto* worker : workers)
    if (!worker->ending) pids.push_back(worker->pid);
  KTSTR_TRY(cgroups_.move(pids, to));
  for (auto* worker : workers) worker->cgroup = to;
  if (!to) return ok();
  return workers_.change_placement({*to}, [] { return ok(); });
}

Status Session::clean_up() {
  scheduler_.end();  // first: what it keeps from running could not stop
  auto status = cgroups_.thaw_all();
  (void)workers_.stop([](const Worker&) { return true; });  // nobody is left to read the reports
  auto removed = cgroups_.remove_all();
  return status ? std::move(removed) : std::move(status);
}

}  // namespace ktstr::engine::guest
