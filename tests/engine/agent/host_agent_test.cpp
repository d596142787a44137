// The agent on this host: the life of workers and cgroups, and what it refuses.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>

#include "engine/protocol/base64.h"
#include "introspect/ctprof/file.h"
#include "tests/engine/agent/host_fixture.h"

namespace ktstr::engine {
namespace {

using protocol::AddCgroup;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the agent captures every thread, in parts of which none is beyond the end") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  CHECK(running.client.ask(protocol::ReadCapture{0}).error().code == ErrorCode::kOutOfRange);
  const auto tid = must(running.client.ask(workers(CpuSpin{}, 1))).tids[0];
  const auto captured = must(running.client.ask(protocol::CaptureThreads{}));
  std::string bytes;
  while (bytes.size() < captured.bytes)
    bytes +=
        must(protocol::decode_base64(must(running.client.ask(protocol::ReadCapture{bytes.size()})).base64));
  CHECK(bytes.size() == captured.bytes);
  CHECK(running.client.ask(protocol::ReadCapture{captured.bytes}).error().code == ErrorCode::kOutOfRange);
  const auto snapshot = must(introspect::ctprof::parse_snapshot(bytes));
  const auto worker = std::ranges::find(snapshot.threads, static_cast<std::uint32_t>(tid),
                                        &introspect::ctprof::ThreadRecord::tid);
  REQUIRE(worker != snapshot.threads.end());
  CHECK(worker->comm == "cpu_spin");
  CHECK(worker->run_time_ns.has_value());
}

TEST_CASE("hello tells the kernel and its CPUs") {
  NEEDS_CGROUP2();
  auto agent = must(HostAgent::start("/nowhere"));
  AgentClient client(agent.channel_fd());
  const auto hello = must(client.wait_hello(std::chrono::seconds(20)));
  CHECK(hello.kernel_release + "\n" == read_text("/proc/sys/kernel/osrelease"));
  CHECK(hello.cpus == static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  CHECK(hello.boot_ns > 0);
}

TEST_CASE("shutdown ends the agent and its workers") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tids = must(running.client.ask(workers(CpuSpin{}, 2))).tids;
  must(running.client.shut_down());
  CHECK(eventually([&] { return !is_alive(running.agent.pid()); }));
  for (const auto tid : tids) CHECK_FALSE(is_alive(tid));
}

TEST_CASE("the end of the channel ends the agent and its workers") {
  NEEDS_CGROUP2();
  std::vector<std::int32_t> tids;
  {
    RunningAgent running("/nowhere");
    tids = must(running.client.ask(workers(CpuSpin{}, 2))).tids;
  }
  for (const auto tid : tids) CHECK_FALSE(is_alive(tid));
}

TEST_CASE("a killed agent leaves no workers") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tids = must(running.client.ask(workers(ForkExit{}, 2))).tids;
  REQUIRE(::kill(running.agent.pid(), SIGKILL) == 0);
  for (const auto tid : tids) CHECK(eventually([&] { return !is_alive(tid); }));
  CHECK(running.client.ask(protocol::StopWorkers{}).error().code == ErrorCode::kGuestFailed);
}

TEST_CASE("a worker that crashes is reported with its signal and what it had done") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tids = must(running.client.ask(workers(CpuSpin{}, 2))).tids;
  REQUIRE(eventually([&] { return has_run(tids[0], 20'000'000, 1'000'000); }));
  REQUIRE(::kill(tids[0], SIGSEGV) == 0);
  REQUIRE(eventually([&] { return !is_alive(tids[0]); }));
  const auto reports = must(running.client.ask(protocol::StopWorkers{})).reports;
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].exit.how == "signaled");
  CHECK(reports[0].exit.code == SIGSEGV);
  CHECK_FALSE(reports[0].completed);
  CHECK(reports[0].work_units > 0);
  CHECK(reports[0].cpu_ns > 0);
  CHECK(reports[0].wall_ns > 0);
  CHECK(reports[1].completed);
}

TEST_CASE("the survivor of a pair waits for the stop and reports") {
  NEEDS_CGROUP2();
  for (const Work& work :
       {Work(PipeIo{}), Work(FutexPingPong{}), Work(CachePipe{}), Work(MutexContention{2, 10, 10})}) {
    RunningAgent running("/nowhere");
    const auto tids = must(running.client.ask(workers(work, 2))).tids;
    REQUIRE(eventually([&] { return has_run(tids[1], 5'000'000, 20); }));
    REQUIRE(::kill(tids[0], SIGKILL) == 0);
    REQUIRE(eventually([&] { return !is_alive(tids[0]); }));
    const auto reports = must(running.client.ask(protocol::StopWorkers{})).reports;
    CHECK(reports.at(0).exit.how == "signaled");
    CHECK(reports.at(1).completed);
    CHECK(reports.at(1).exit.how == "exited");
  }
}

TEST_CASE("a worker that does not stop is killed after the deadline") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tid = must(running.client.ask(workers(CpuSpin{}, 1))).tids.at(0);
  REQUIRE(::kill(tid, SIGSTOP) == 0);
  const auto begin = std::chrono::steady_clock::now();
  const auto report = must(running.client.ask(protocol::StopWorkers{})).reports.at(0);
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::seconds(5));
  CHECK(report.exit.how == "timed out");
  CHECK_FALSE(report.completed);
  CHECK(report.longest_gap_ns > 4'000'000'000);
}

TEST_CASE("a worker gets its name, nice value, policy and affinity before it starts") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const CpuSet only{0};
  const auto tid = must(running.client.ask(protocol::SpawnWorkers{
                            std::nullopt, CpuSpin{}, {only}, BatchPolicy{}, 7, "my-worker"}))
                       .tids.at(0);
  const auto stat = read_text("/proc/" + std::to_string(tid) + "/stat");
  CHECK(stat.find("(my-worker)") != std::string::npos);
  CHECK(read_text("/proc/" + std::to_string(tid) + "/status").find("Cpus_allowed_list:\t0\n") !=
        std::string::npos);
  CHECK(::sched_getscheduler(tid) == SCHED_BATCH);
  REQUIRE(eventually([&] { return has_run(tid, 10'000'000, 1'000'000); }));
  CHECK(must(running.client.ask(protocol::StopWorkers{})).reports.at(0).cpus_used == only);
}

TEST_CASE("a worker without a name bears its work type's") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tid = must(running.client.ask(workers(YieldHeavy{}, 1))).tids.at(0);
  CHECK(read_text("/proc/" + std::to_string(tid) + "/comm") == "yield_heavy\n");
}

TEST_CASE("workers that do not make whole groups are refused") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto spawned = running.client.ask(workers(PipeIo{}, 3));
  CHECK(spawned.error().code == ErrorCode::kInvalidArgument);
  CHECK(spawned.error().message == "3 workers of pipe_io do not make whole groups of 2");
}

TEST_CASE("a spawn that fails half-way leaves no worker") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  auto request = workers(CpuSpin{}, 2);
  request.affinities[1] = CpuSet{CpuSet::kCapacity - 1};
  CHECK_FALSE(running.client.ask(request).has_value());
  CHECK(must(running.client.ask(protocol::StopWorkers{})).reports.empty());
  const auto children = "/proc/" + std::to_string(running.agent.pid()) + "/task/" +
                        std::to_string(running.agent.pid()) + "/children";
  CHECK(read_text(children) == "");
}

TEST_CASE("a worker that can't do its work says why by its exit") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tid = must(running.client.ask(workers(Sequence{}, 1))).tids.at(0);
  REQUIRE(eventually([&] { return !is_alive(tid); }));
  const auto report = must(running.client.ask(protocol::StopWorkers{})).reports.at(0);
  CHECK(report.exit.how == "exited");
  CHECK(report.exit.code == 1);
  CHECK(report.failure == "sequence: there are no phases");
}

TEST_CASE("a worker's failed system call is its failure, with the kernel's words") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tid = must(running.client.ask(workers(CpuSpin{}, 1))).tids.at(0);
  const auto stopped = must(running.client.ask(protocol::StopWorkers{})).reports;
  CHECK_FALSE(stopped.at(0).failure);
  const auto killed = must(running.client.ask(workers(CpuSpin{}, 1))).tids.at(0);
  REQUIRE(::kill(killed, SIGKILL) == 0);
  REQUIRE(eventually([&] { return !is_alive(killed); }));
  const auto report = must(running.client.ask(protocol::StopWorkers{})).reports.at(0);
  CHECK(report.exit.how == "signaled");
  CHECK_FALSE(report.failure);  // no OOM killer's work
  CHECK(tid != killed);
}

TEST_CASE("the topology is the one that the kernel shows") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto found = must(running.client.ask(protocol::FindTopology{}));
  const auto line = [](const std::string& file) {
    auto text = read_text("/sys/devices/system/cpu/" + file);
    if (text.ends_with('\n')) text.pop_back();
    return text;
  };
  CHECK(found.online.to_string() == line("online"));
  CHECK(found.possible.to_string() == line("possible"));
}

TEST_CASE("many workers start and stop at once, each reported once and in order") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto tids =
      must(running.client.ask(workers(Bursty{std::chrono::milliseconds(1), std::chrono::hours(1)}, 400)))
          .tids;
  const auto reports = must(running.client.ask(protocol::StopWorkers{})).reports;
  REQUIRE(reports.size() == tids.size());
  for (std::size_t i = 0; i < tids.size(); ++i) {
    CHECK(reports[i].tid == tids[i]);
    CHECK(reports[i].completed);
  }
}

TEST_CASE("pairs start in any number") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  constexpr std::size_t kWorkers = 600;  // more pipes than descriptors, were they all held
  REQUIRE(must(running.client.ask(workers(PipeIo{}, kWorkers))).tids.size() == kWorkers);
  const auto reports = must(running.client.ask(protocol::StopWorkers{})).reports;
  CHECK(std::ranges::all_of(reports, &protocol::WorkerReport::completed));
}

TEST_CASE("files are read up to the limit") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto whole = must(running.client.ask(protocol::ReadFile{"/proc/sys/kernel/osrelease"}));
  CHECK(whole.content == read_text("/proc/sys/kernel/osrelease"));
  CHECK_FALSE(whole.truncated);
  const auto part = must(running.client.ask(protocol::ReadFile{"/proc/sys/kernel/osrelease", 2}));
  CHECK(part.content == whole.content.substr(0, 2));
  CHECK(part.truncated);
  const auto rest = must(running.client.ask(protocol::ReadFile{"/proc/sys/kernel/osrelease", 1000, 2}));
  CHECK(rest.content == whole.content.substr(2));
  CHECK_FALSE(rest.truncated);
  CHECK(
      must(running.client.ask(protocol::ReadFile{"/proc/sys/kernel/osrelease", 1000, 4096})).content.empty());
  CHECK(running.client.ask(protocol::ReadFile{"/nonexistent"}).error().code == ErrorCode::kNotFound);
}

TEST_CASE("an answer too large for a frame is refused and the agent goes on") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  // Each of these bytes takes six in JSON.
  const auto path = std::filesystem::temp_directory_path() / ("ktstr-zeros-" + std::to_string(::getpid()));
  std::ofstream(path, std::ios::binary);
  std::filesystem::resize_file(path, 12 << 20);
  const auto content = running.client.ask(protocol::ReadFile{path.string(), 12 << 20});
  std::filesystem::remove(path);
  CHECK(content.error().code == ErrorCode::kOutOfRange);
  CHECK(must(running.client.ask(protocol::StopWorkers{})).reports.empty());
}

TEST_CASE("a file that would block is an error at once") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto path = std::filesystem::temp_directory_path() / ("ktstr-fifo-" + std::to_string(::getpid()));
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const Fd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const auto content = running.client.ask(protocol::ReadFile{path.string()});
  std::filesystem::remove(path);
  CHECK(content.error().code == ErrorCode::kIo);
}

TEST_CASE("hostile and unknown cgroup names are refused") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  for (const auto* name : {"", "/etc", "..", "a/../../b", "cgroup.procs", "a\nb"}) {
    CHECK(running.client.ask(protocol::AddCgroup{name}).error().code == ErrorCode::kInvalidArgument);
    CHECK(running.client.ask(protocol::FreezeCgroup{name, true}).error().code == ErrorCode::kInvalidArgument);
    CHECK(running.client.ask(workers(CpuSpin{}, 1, name)).error().code == ErrorCode::kInvalidArgument);
    CHECK(running.client.ask(protocol::StopWorkers{name}).error().code == ErrorCode::kInvalidArgument);
    CHECK(running.client.ask(protocol::RemoveCgroup{name}).error().code == ErrorCode::kInvalidArgument);
    CHECK(running.client.ask(protocol::MoveTasks{std::nullopt, name}).error().code ==
          ErrorCode::kInvalidArgument);
  }
  CHECK(running.client.ask(protocol::FreezeCgroup{"unknown", true}).error().code == ErrorCode::kNotFound);
}

TEST_CASE("garbage on the channel ends the agent after it has said why") {
  NEEDS_CGROUP2();
  auto agent = must(HostAgent::start("/nowhere"));
  AgentClient client(agent.channel_fd());
  REQUIRE(client.wait_hello(std::chrono::seconds(20)));
  REQUIRE(::send(agent.channel_fd(), "this is no frame", 16, 0) == 16);
  CHECK(client.ask(protocol::ReadFile{"/proc/stat"}).error().message == "not a frame: bad magic");
  CHECK(eventually([&] { return !is_alive(agent.pid()); }));
}

TEST_CASE("a request that is no request is refused and the agent goes on") {
  NEEDS_CGROUP2();
  auto agent = must(HostAgent::start("/nowhere"));
  AgentClient client(agent.channel_fd());
  REQUIRE(client.wait_hello(std::chrono::seconds(20)));
  REQUIRE(protocol::send_frame(agent.channel_fd(), "{\"id\":1}", std::chrono::seconds(20)));
  CHECK(client.ask(protocol::ReadFile{"/proc/stat"}).error().message == "request: missing \"request\"");
  CHECK(must(client.ask(protocol::StopWorkers{})).reports.empty());
}

TEST_CASE("an agent on a bare host leaves the kernel's statistics alone and tells of them") {
  NEEDS_CGROUP2();
  const auto found = [](const std::string& path) {
    const auto text = read_text(path);
    return text.empty() ? std::nullopt : std::optional(text != "0\n");
  };
  const auto bpf = found("/proc/sys/kernel/bpf_stats_enabled");
  const auto schedstats = found("/proc/sys/kernel/sched_schedstats");
  RunningAgent running("/nowhere");
  const auto switches = must(running.client.ask(protocol::SetStatistics{true}));
  CHECK(switches.bpf_programs == bpf);
  CHECK(switches.schedstats == schedstats);
  CHECK(found("/proc/sys/kernel/bpf_stats_enabled") == bpf);
}

TEST_CASE("an agent on a bare host leaves its random numbers and clock alone") {
  NEEDS_CGROUP2();
  RunningAgent running("/nowhere");
  const auto refused = [&](std::size_t bytes, std::uint64_t realtime_ns) {
    return running.client.ask(protocol::Refresh{std::vector<std::uint8_t>(bytes, 1), realtime_ns}).error();
  };
  CHECK(refused(protocol::kMinEntropyBytes, 1).code == ErrorCode::kUnavailable);
  CHECK(refused(protocol::kMinEntropyBytes - 1, 1).message == "refresh: 31 bytes of entropy");
  CHECK(refused(protocol::kMaxEntropyBytes + 1, 1).code == ErrorCode::kInvalidArgument);
  CHECK(refused(protocol::kMaxEntropyBytes, ~0ULL).message == "refresh: no clock shows such a time");
}

TEST_CASE("cgroups are made, nested and removed with their workers") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  RunningAgent running(root.path());
  must(running.client.ask(protocol::AddCgroup{"a"}));
  must(running.client.ask(protocol::AddCgroup{"a/b"}));
  const auto tids = must(running.client.ask(workers(CpuSpin{}, 2, "a/b"))).tids;
  CHECK(read_text(root.path() + "/a/b/cgroup.procs") ==
        std::to_string(tids[0]) + "\n" + std::to_string(tids[1]) + "\n");
  const auto reports = must(running.client.ask(protocol::RemoveCgroup{"a"})).reports;
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].cgroup == "a/b");
  CHECK_FALSE(std::filesystem::exists(root.path() + "/a"));
}

TEST_CASE("workers move between cgroups and report where they ended") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  RunningAgent running(root.path());
  must(running.client.ask(protocol::AddCgroup{"a"}));
  must(running.client.ask(protocol::AddCgroup{"b"}));
  const auto tids = must(running.client.ask(workers(CpuSpin{}, 2, "a"))).tids;
  must(running.client.ask(protocol::MoveTasks{"a", "b"}));
  CHECK(read_text(root.path() + "/a/cgroup.procs") == "");
  CHECK(read_text(root.path() + "/b/cgroup.procs").find(std::to_string(tids[1])) != std::string::npos);
  CHECK(must(running.client.ask(protocol::StopWorkers{"a"})).reports.empty());
  must(running.client.ask(protocol::MoveTasks{"b", std::nullopt}));
  CHECK(read_text(root.path() + "/b/cgroup.procs") == "");
  must(running.client.ask(protocol::MoveTasks{std::nullopt, "a"}));
  CHECK(read_text(root.path() + "/a/cgroup.procs").find(std::to_string(tids[0])) != std::string::npos);
  CHECK(must(running.client.ask(protocol::StopWorkers{"a"})).reports.size() == 2);
}

TEST_CASE("a frozen cgroup's workers stand still until they are thawed or stopped") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  RunningAgent running(root.path());
  must(running.client.ask(protocol::AddCgroup{"a"}));
  must(running.client.ask(workers(CpuSpin{}, 1, "a")));
  must(running.client.ask(protocol::FreezeCgroup{"a", true}));
  must(running.client.ask(protocol::FreezeCgroup{"a", true}));
  CHECK(read_text(root.path() + "/a/cgroup.events").find("frozen 1") != std::string::npos);
  CHECK(running.client.ask(workers(CpuSpin{}, 1, "a")).error().code == ErrorCode::kInvalidArgument);
  must(running.client.ask(protocol::FreezeCgroup{"a", false}));
  CHECK(read_text(root.path() + "/a/cgroup.events").find("frozen 0") != std::string::npos);
  must(running.client.ask(protocol::FreezeCgroup{"a", true}));
  const auto reports = must(running.client.ask(protocol::StopWorkers{"a"})).reports;
  CHECK(reports.at(0).completed);
}

TEST_CASE("the end of the channel removes frozen and nested cgroups too") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  {
    RunningAgent running(root.path());
    must(running.client.ask(protocol::AddCgroup{"a/b"}));
    must(running.client.ask(workers(CpuSpin{}, 1, "a/b")));
    must(running.client.ask(protocol::FreezeCgroup{"a", true}));
  }
  CHECK_FALSE(std::filesystem::exists(root.path() + "/a"));
}

TEST_CASE("a limit without its controller is refused and leaves no cgroup") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  if (read_text(root.path() + "/cgroup.controllers").find("cpuset") != std::string::npos)
    SKIP_TEST("cpuset is there");
  RunningAgent running(root.path());
  const auto added = running.client.ask(protocol::AddCgroup{"a/b", CpuSet{0}});
  CHECK(added.error().code == ErrorCode::kUnavailable);
  CHECK_FALSE(std::filesystem::exists(root.path() + "/a"));
}

TEST_CASE("a cgroup is made only once") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  RunningAgent running(root.path());
  must(running.client.ask(protocol::AddCgroup{"a"}));
  CHECK(running.client.ask(protocol::AddCgroup{"a"}).error().message == "the cgroup \"a\" exists already");
}

TEST_CASE("affinities are for all workers of a cgroup") {
  const TestCgroup root;
  if (root.path().empty()) SKIP_TEST("no cgroup v2 hierarchy that may be written");
  RunningAgent running(root.path());
  must(running.client.ask(protocol::AddCgroup{"a"}));
  const auto tids = must(running.client.ask(workers(CpuSpin{}, 2, "a"))).tids;
  CHECK(running.client.ask(protocol::SetAffinity{"a", {CpuSet{0}}}).error().code ==
        ErrorCode::kInvalidArgument);
  must(running.client.ask(protocol::SetAffinity{"a", {CpuSet{0}, CpuSet{}}}));
  CHECK(read_text("/proc/" + std::to_string(tids[0]) + "/status").find("Cpus_allowed_list:\t0\n") !=
        std::string::npos);
}

}  // namespace ktstr::engine
