// An agent on this host for tests, with cgroups of its own where the host lets it.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "engine/agent/agent_client.h"
#include "engine/agent/host_agent.h"
#include "tests/skip.h"

namespace ktstr::engine {

/// The mount point of the cgroup v2 hierarchy, or "".
inline std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string device, target, type, rest;
       mounts >> device >> target >> type && std::getline(mounts, rest);)
    if (type == "cgroup2") return target;
  return "";
}

/// First in every test case that starts an agent on this host: it needs a cgroup to call its own.
#define NEEDS_CGROUP2()                                                               \
  do {                                                                                \
    if (cgroup2_mount().empty()) SKIP_TEST("no cgroup v2 hierarchy is mounted here"); \
  } while (false)

/// A cgroup directory that goes away with the test; path() is "" where none could be made.
class TestCgroup {
 public:
  TestCgroup() {
    const auto mount = cgroup2_mount();
    const auto path = mount + "/ktstr-test-" + std::to_string(::getpid());
    if (!mount.empty() && ::mkdir(path.c_str(), 0755) == 0) path_ = path;
  }
  ~TestCgroup() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Asks again every ms until `condition` holds; false after 20 s.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

/// The value of a result that must be one; the test fails with the error otherwise.
template <class T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return std::move(*result);
}

inline void must(Status status) {
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
}

/// A running agent that has said hello.
struct RunningAgent {
  explicit RunningAgent(const std::string& cgroup_root)
      : agent(must(HostAgent::start(cgroup_root))), client(agent.channel_fd()) {
    must(client.wait_hello(std::chrono::seconds(20)));
  }
  HostAgent agent;
  AgentClient client;
};

inline protocol::SpawnWorkers workers(Work work, std::size_t count,
                                      std::optional<std::string> cgroup = std::nullopt) {
  return {std::move(cgroup), std::move(work), std::vector<CpuSet>(count), NormalPolicy{}, 0, ""};
}

/// Whether the task has run for `cpu_ns` or been put on a CPU `times` times since it began.
inline bool has_run(std::int32_t tid, std::uint64_t cpu_ns, std::uint64_t times) {
  std::ifstream file("/proc/" + std::to_string(tid) + "/schedstat");
  std::uint64_t cpu = 0, delay = 0, count = 0;
  file >> cpu >> delay >> count;
  return cpu >= cpu_ns || count >= times;
}

inline bool is_alive(std::int32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto paren = text.rfind(')');
  return paren != std::string::npos && text[paren + 2] != 'Z';
}

}  // namespace ktstr::engine
