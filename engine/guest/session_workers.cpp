// Session's requests that concern workers.
#include "engine/guest/placement.h"
#include "engine/guest/session.h"

namespace ktstr::engine::guest {

using namespace protocol;

namespace {

bool is_in(const std::vector<std::string>& names, const std::optional<std::string>& name) {
  return name && std::find(names.begin(), names.end(), *name) != names.end();
}

}  // namespace

Result<Reply> Session::handle(const SpawnWorkers& request) {
  return Spawned{KTSTR_TRY(workers_.spawn(request, cgroups_))};
}

Result<Reply> Session::handle(const StopWorkers& request) {
  if (request.cgroup) {
    KTSTR_TRY_STATUS(cgroups_.thaw_path(*request.cgroup));
    return Stopped{workers_.stop([&](const Worker& worker) { return worker.cgroup == request.cgroup; })};
  }
  KTSTR_TRY_STATUS(cgroups_.thaw_all());
  return Stopped{workers_.stop([](const Worker&) { return true; })};
}

Result<Reply> Session::handle(const RemoveCgroup& request) {
  KTSTR_TRY_STATUS(cgroups_.check(request.cgroup));
  const auto names = cgroups_.subtree(request.cgroup);
  for (const auto& name : names) KTSTR_TRY_STATUS(cgroups_.thaw_path(name));
  Stopped stopped{workers_.stop([&](const Worker& worker) { return is_in(names, worker.cgroup); })};
  KTSTR_TRY_STATUS(cgroups_.remove(request.cgroup));
  return stopped;
}

Result<Reply> Session::handle(const SetAffinity& request) {
  KTSTR_TRY_STATUS(cgroups_.check(request.cgroup));
  const auto workers = workers_.in_cgroup(request.cgroup);
  if (workers.size() != request.affinities.size())
    return Error{ErrorCode::kInvalidArgument, "the cgroup \"" + request.cgroup + "\" has " +
                                                  std::to_string(workers.size()) + " workers, not " +
                                                  std::to_string(request.affinities.size())};
  for (std::size_t i = 0; i < workers.size(); ++i)
    if (!workers[i]->ending) KTSTR_TRY_STATUS(set_affinity(workers[i]->pid, request.affinities[i]));
  return Done{};
}

Result<Reply> Session::handle(const MoveTasks& request) {
  const auto workers = workers_.in_cgroup(request.from);
  if (request.from) {
    KTSTR_TRY_STATUS(cgroups_.move_all(*request.from, request.to));
  } else {
    std::vector<pid_t> pids;
    for (const auto* worker : workers)
      if (!worker->ending) pids.push_back(worker->pid);
    KTSTR_TRY_STATUS(cgroups_.move(pids, request.to));
  }
  for (auto* worker : workers) worker->cgroup = request.to;
  return Done{};
}

Status Session::clean_up() {
  scheduler_.end();  // first: what it keeps from running could not stop
  auto status = cgroups_.thaw_all();
  (void)workers_.stop([](const Worker&) { return true; });  // nobody is left to read the reports
  auto removed = cgroups_.remove_all();
  return status ? std::move(removed) : std::move(status);
}

}  // namespace ktstr::engine::guest
