#include "engine/agent/host_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>

#include "engine/guest/agent_image.h"

extern char** environ;

namespace ktstr::engine {
namespace {

constexpr int kEndTimeoutMs = 10'000;
constexpr int kAgentChannelFd = 3;

Result<Fd> agent_executable() {
  Fd file(::memfd_create("ktstr-agent", MFD_CLOEXEC));
  if (!file) return system_error("memfd_create");
  for (auto rest = agent_image(); !rest.empty();) {
    const auto written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0) return system_error("write the agent's image");
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  // What is open for writing can't be executed.
  Fd executable(::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
  if (!executable) return system_error("reopen the agent's image");
  return executable;
}

Result<pid_t> spawn_agent(int executable, int channel, const std::string& cgroup_root) {
  const auto path = "/proc/self/fd/" + std::to_string(executable);
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
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return system_error("socketpair");
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const auto pid = KTSTR_TRY(spawn_agent(executable.get(), theirs.get(), cgroup_root));
  return HostAgent(std::move(ours), pid);
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
