#include "engine/agent/host_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>

#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "engine/guest/agent_image.h"

extern char** environ;

namespace ktstr::engine {
namespace {

constexpr int kEndTimeoutMs = 10'000;
constexpr int kAgentChannelFd = 3;

Result<Fd> agent_executable() {
  const Fd file = KTSTR_TRY(make_memory_file("ktstr-agent", agent_image()));
  // What is open for writing can't be executed.
  Fd executable(::open(path_of(file.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!executable) return system_error("reopen the agent's image");
  return executable;
}

Result<pid_t> spawn_agent(int executable, int channel, const std::string& cgroup_root) {
  const auto path = path_of(executable);
  const auto fd = std::to_string(kAgentChannelFd);
  const char* arguments[] = {"ktstr-agent",   "--channel-fd",      fd.c_str(),
                             "--cgroup-root", cgroup_root.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, channel, kAgentChannelFd);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, path.c_str(), &actions, nullptr, const_cast<char**>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error) return system_error("start the agent", error);
  return pid;
}

}  // namespace

Result<HostAgent> HostAgent::start(const std::string& cgroup_root) {
  const auto executable = KTSTR_TRY(agent_executable());
  auto channel = KTSTR_TRY(make_socket_pair());
  const auto pid = KTSTR_TRY(spawn_agent(executable.get(), channel.theirs.get(), cgroup_root));
  return HostAgent(std::move(channel.ours), pid);
}

HostAgent::~HostAgent() {
  if (pid_ < 0) return;
  channel_.reset();
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd end{process.get(), POLLIN, 0};
  if (!process || ::poll(&end, 1, kEndTimeoutMs) != 1) ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace ktstr::engine
