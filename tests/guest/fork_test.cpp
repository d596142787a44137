// Forks of a booted guest: what is each one's own, and what none may differ in.
#include <doctest/doctest.h>
#include <time.h>

#include <cstring>
#include <set>

#include "engine/run/fork_guest.h"
#include "tests/guest/guest_files.h"
#include "tests/guest/guest_fixture.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

constexpr Duration kReady = 60s;

/// A snapshot of a guest that is ready, on two CPUs.
std::unique_ptr<vmm::MachineSnapshot> ready_guest(const CachedKernel& kernel) {
  auto guest = boot(kernel, {1, 2, 1, 1});
  REQUIRE_MESSAGE(guest, guest.error().message);
  auto snapshot = guest->machine->snapshot(30s);
  REQUIRE_MESSAGE(snapshot, snapshot.error().message);
  return std::move(*snapshot);
}

/// A fork that has random numbers and a clock of its own.
struct Fork {
  explicit Fork(const vmm::MachineSnapshot& snapshot) : guest(forked(snapshot)) {
    agent.emplace(guest.machine->channel_fd());
  }
  static ForkedGuest forked(const vmm::MachineSnapshot& snapshot) {
    auto guest = fork_guest(snapshot, {}, -1, kReady);
    REQUIRE_MESSAGE(guest, guest.error().message);
    return std::move(*guest);
  }
  [[nodiscard]] std::string text(const std::string& path) { return guest_file(*agent, path); }
  /// What the guest says of a file, be it that there is none.
  [[nodiscard]] std::string said_of(const std::string& path) {
    const auto file = agent->ask(protocol::ReadFile{path, 1U << 16});
    return file ? file->content : file.error().message;
  }

  ForkedGuest guest;
  std::optional<AgentClient> agent;
};

double host_time() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The guest's CLOCK_REALTIME in whole seconds, by the real-time clock of a CPU that answers now:
/// btime is the time of boot by CLOCK_REALTIME, uptime what passed since.
double guest_time(Fork& fork) {
  const auto stat = fork.text("/proc/stat");
  const auto btime = std::stod(stat.substr(stat.find("btime ") + 6));
  return btime + std::stod(fork.text("/proc/uptime"));
}

/// Names of the first threads; kworkers come and go with the work there is.
std::string thread_names(Fork& fork) {
  std::string names;
  for (int pid = 1; pid < 150; ++pid) {
    const auto name = fork.said_of("/proc/" + std::to_string(pid) + "/comm");
    if (!name.starts_with("kworker") && !name.starts_with("open ")) names += std::to_string(pid) + " " + name;
  }
  return names;
}

std::vector<std::string> files_that_stand_still() {
  std::vector<std::string> files = {"/proc/1/cmdline",   "/proc/1/environ",
                                    "/proc/1/limits",    "/proc/1/maps",
                                    "/proc/1/mountinfo", "/proc/1/cgroup",
                                    "/proc/1/auxv",      "/sys/class/dmi/id/sys_vendor",
                                    "/sys/kernel/notes", "/sys/kernel/debug/sched/features"};
  for (const auto* name :
       {"cmdline", "version", "cpuinfo", "modules", "filesystems", "mounts", "devices", "iomem", "ioports",
        "partitions", "misc", "consoles", "cgroups", "kallsyms", "swaps", "crypto"})
    files.push_back(std::string("/proc/") + name);
  for (const auto* name : {"kernel/hostname",
                           "kernel/domainname",
                           "kernel/osrelease",
                           "kernel/ostype",
                           "kernel/version",
                           "kernel/tainted",
                           "kernel/pid_max",
                           "kernel/threads-max",
                           "kernel/randomize_va_space",
                           "kernel/sched_rt_runtime_us",
                           "kernel/sched_rt_period_us",
                           "kernel/watchdog_thresh",
                           "kernel/hung_task_timeout_secs",
                           "kernel/printk",
                           "kernel/cap_last_cap",
                           "kernel/ngroups_max",
                           "kernel/random/poolsize",
                           "vm/overcommit_memory",
                           "vm/panic_on_oom",
                           "vm/swappiness",
                           "vm/min_free_kbytes",
                           "vm/user_reserve_kbytes",
                           "vm/max_map_count",
                           "fs/file-max",
                           "fs/nr_open",
                           "net/core/somaxconn"})
    files.push_back(std::string("/proc/sys/") + name);
  const std::string cpus = "/sys/devices/system/cpu/";
  for (const auto* name : {"online", "possible", "present", "isolated", "vulnerabilities/meltdown"})
    files.push_back(cpus + name);
  for (const auto* name :
       {"topology/core_id", "topology/physical_package_id", "topology/thread_siblings_list",
        "topology/package_cpus_list", "cache/index3/shared_cpu_list", "cache/index0/size"})
    for (const auto* cpu : {"cpu0/", "cpu1/"}) files.push_back(cpus + cpu + name);
  for (const auto* name : {"cgroup.controllers", "cgroup.subtree_control", "cgroup.max.depth", "cgroup.stat",
                           "cpuset.cpus.effective", "cpuset.mems.effective"})
    files.push_back(std::string("/sys/fs/cgroup/") + name);
  for (const auto* name :
       {"node/node0/cpulist", "node/possible"})  // not the clocksource: the TSC's comes late
    files.push_back(std::string("/sys/devices/system/") + name);
  return files;
}

/// Pages that two frozen machines do not have in common, by guest-physical address.
std::vector<std::uint64_t> differing_pages(vmm::Machine& a, vmm::Machine& b) {
  constexpr std::size_t kPage = 4096;
  std::vector<std::uint64_t> pages;
  REQUIRE(a.memory().size() == b.memory().size());
  for (std::size_t i = 0; i < a.memory().size(); ++i) {
    const auto &left = a.memory()[i], &right = b.memory()[i];
    REQUIRE(left.base == right.base);
    REQUIRE(left.bytes.size() == right.bytes.size());
    for (std::size_t at = 0; at < left.bytes.size(); at += kPage)
      if (std::memcmp(&left.bytes[at], &right.bytes[at], kPage) != 0) pages.push_back(left.base.value() + at);
  }
  return pages;
}

}  // namespace

TEST_CASE("forks have random numbers and boot ids of their own, and the host's time") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  const auto snapshot = ready_guest(*kernel);
  std::set<std::string> numbers, boots;
  for (int i = 0; i < 3; ++i) {
    Fork fork(*snapshot);
    // A reader on each CPU would have its own state: a dozen numbers come from several.
    for (int n = 0; n < 12; ++n) numbers.insert(fork.text("/proc/sys/kernel/random/uuid"));
    boots.insert(fork.text("/proc/sys/kernel/random/boot_id"));
    const auto before = host_time();
    const auto guest = guest_time(fork);
    CHECK(guest > before - 2);
    CHECK(guest < host_time() + 2);
  }
  CHECK(numbers.size() == 36);
  CHECK(boots.size() == 3);
}

TEST_CASE("forks do not differ in anything that stands still") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  const auto snapshot = ready_guest(*kernel);
  Fork first(*snapshot), second(*snapshot);
  std::size_t told = 0;
  for (const auto& path : files_that_stand_still()) {
    CAPTURE(path);
    const auto text = first.said_of(path);
    CHECK(text == second.said_of(path));
    told += !text.starts_with("open ");
  }
  MESSAGE(told << " files compared");
  CHECK(told > 60);
  const auto memory = [](Fork& fork) { return fork.text("/proc/meminfo").substr(0, 28); };
  CHECK(memory(first).starts_with("MemTotal:"));
  CHECK(memory(first) == memory(second));
  const auto names = thread_names(first);
  CHECK(names.find("1 init\n") != std::string::npos);
  CHECK(names == thread_names(second));
  CHECK(first.guest.machine->backend_name() == second.guest.machine->backend_name());
}

TEST_CASE("forks that nobody has told anything have their memory in common, and a refresh changes little") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  const auto snapshot = ready_guest(*kernel);
  const auto fork = [&] {
    auto machine = snapshot->fork({});
    REQUIRE_MESSAGE(machine, machine.error().message);
    REQUIRE((*machine)->freeze(30s));
    return std::move(*machine);
  };
  const auto untold = differing_pages(*fork(), *fork()).size();
  Fork first(*snapshot), second(*snapshot);
  REQUIRE(first.guest.machine->freeze(30s));
  REQUIRE(second.guest.machine->freeze(30s));
  const auto refreshed = differing_pages(*first.guest.machine, *second.guest.machine);
  MESSAGE(untold << " pages of untold forks differ, " << refreshed.size() << " of refreshed ones");
  CHECK(untold < 100);
  CHECK(refreshed.size() > 0);
  CHECK(refreshed.size() < 2000);
}
