#include "engine/agent/host_agent.h"

#include <fcntl.h>

#include <csignal>

#include "engine/base/child.h"
#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "engine/guest/agent_image.h"

namespace ktstr::engine {
namespace {

constexpr Duration kEndTimeout = std::chrono::seconds(10);

Result<Fd> agent_executable() {
  const Fd file = KTSTR_TRY(make_memory_file("ktstr-agent", agent_image()));
  // What is open for writing can't be executed.
  Fd executable(::open(path_of(file.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!executable) return system_error("reopen the agent's image");
  return executable;
}

}  // namespace

Result<HostAgent> HostAgent::start(const std::string& cgroup_root) {
  const auto executable = KTSTR_TRY(agent_executable());
  auto channel = KTSTR_TRY(make_socket_pair());
  auto agent = KTSTR_TRY(
      start_child({.arguments = {path_of(executable.get()), "--channel-fd",
                                 std::to_string(ChildPlan::kFirstInherited), "--cgroup-root", cgroup_root},
                   .group = ChildPlan::Group::kOurs,
                   .is_tied = false,
                   .output = STDOUT_FILENO,
                   .errors = STDERR_FILENO,
                   .inherited = {channel.theirs.get()}}));
  return HostAgent(std::move(channel.ours), std::move(agent));
}

HostAgent::~HostAgent() {
  if (!process_.pidfd) return;
  channel_.reset();
  if (!is_readable(process_.pidfd.get(), deadline_after(kEndTimeout))) ::kill(process_.pid, SIGKILL);
  reap(process_.pid);
}

}  // namespace ktstr::engine
