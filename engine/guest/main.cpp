// ktstr-agent: carries out a runner's requests. As PID 1 it also owns the guest; on a bare host it is given
// its channel:
//   ktstr-agent --channel-fd N --cgroup-root PATH
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "engine/guest/cgroup.h"
#include "engine/guest/channel.h"
#include "engine/guest/clock.h"
#include "engine/guest/init.h"
#include "engine/guest/session.h"

namespace ktstr::engine::guest {
namespace {

constexpr Duration kDeviceDeadline = std::chrono::seconds(20);

int complain(const Error& error) {
  std::fprintf(stderr, "ktstr-agent: %s\n", error.message.c_str());
  return 1;
}

Status serve_guest(std::uint64_t boot_ns) {
  KTSTR_TRY(become_init());
  auto channel = KTSTR_TRY(open_channel_device(kDeviceDeadline));
  const int fd = channel.get();
  Session session(std::move(channel), CgroupTree(kCgroupRoot, kCgroupRoot), boot_ns);
  auto status = session.run();
  drain_channel(fd);
  return status;
}

Status serve_bare_host(int fd, const std::string& cgroup_root, std::uint64_t boot_ns) {
  auto channel = KTSTR_TRY(adopt_channel(fd));
  // Ctrl-C on a terminal reaches us too, but it is the runner that decides what it means.
  std::signal(SIGINT, SIG_IGN);
  // Orphans of workers come to the agent, as they do to PID 1.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return system_error("become a subreaper");
  auto own = KTSTR_TRY(find_own_cgroup());
  return Session(std::move(channel), CgroupTree(cgroup_root, std::move(own)), boot_ns).run();
}

int usage() {
  std::fputs("usage: ktstr-agent --channel-fd N --cgroup-root PATH\n", stderr);
  return 2;
}

int run(int argc, char** argv) {
  const auto boot_ns = clock_ns(CLOCK_BOOTTIME);
  std::signal(SIGPIPE, SIG_IGN);
  ::mallopt(M_ARENA_MAX, 1);  // each further one is a page table and a page more for every worker
  if (::getpid() == 1) {
    if (auto status = serve_guest(boot_ns); !status) complain(status.error());
    end_machine();
  }
  if (argc != 5 || std::strcmp(argv[1], "--channel-fd") != 0 || std::strcmp(argv[3], "--cgroup-root") != 0)
    return usage();
  const std::string_view number = argv[2];
  int fd = -1;
  if (std::from_chars(number.data(), number.data() + number.size(), fd).ptr != number.data() + number.size())
    return usage();
  const auto status = serve_bare_host(fd, argv[4], boot_ns);
  return status ? 0 : complain(status.error());
}

}  // namespace
}  // namespace ktstr::engine::guest

int main(int argc, char** argv) {
  return ktstr::engine::guest::run(argc, argv);
}
