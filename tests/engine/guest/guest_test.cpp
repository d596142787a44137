// The agent as PID 1 of a real guest: what it does is read back from the guest's own /proc and /sys.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "engine/agent/agent_client.h"
#include "engine/guest/agent_image.h"
#include "engine/kernels/kernel_store.h"
#include "tests/skip.h"
#include "vmm/initramfs.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::engine {
namespace {

using protocol::AddCgroup;
using protocol::SpawnWorkers;
using protocol::WorkerReport;

template <class T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return std::move(*result);
}
void must(Status status) {
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
}

/// A guest that has said hello.
class Guest {
 public:
  Guest(const CachedKernel& kernel, const char* topology)
      : directory_(std::filesystem::temp_directory_path() /
                   ("ktstr-guest-test-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(directory_);
    const auto agent = agent_image();
    must(vmm::write_initramfs({{"init", std::vector<std::byte>(agent.begin(), agent.end())}},
                              directory_ / "initramfs"));
    vmm::MachineConfig config;
    config.kernel_elf = kernel.elf;
    config.kernel_bzimage = kernel.bzimage;
    config.initramfs = directory_ / "initramfs";
    config.topology = must(vmm::Topology::parse(topology));
    config.memory = ByteSize{512 << 20};
    config.console_log = directory_ / "console";
    machine = must(vmm::start_qemu(config));
    client.emplace(machine->channel_fd());
    const auto greeting = client->wait_hello(std::chrono::seconds(60));
    REQUIRE_MESSAGE(greeting.has_value(), greeting.error().message, "\n", machine->console_tail(20));
    hello = *greeting;
  }
  ~Guest() {
    machine.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] std::string text(const std::string& path) {
    return must(client->ask(protocol::ReadFile{path})).content;
  }
  [[nodiscard]] std::string cgroup(const std::string& file) { return text("/sys/fs/cgroup/" + file); }
  [[nodiscard]] std::uint64_t cpu_time_ns(std::int32_t tid) {
    return std::stoull(text("/proc/" + std::to_string(tid) + "/schedstat"));
  }
  /// Asks the guest until the task has used this much more CPU time: each answer takes a while, no pause is
  /// needed.
  void wait_for_progress(std::int32_t tid, std::uint64_t ns) {
    const auto begin = cpu_time_ns(tid);
    for (int i = 0; i < 10'000; ++i)
      if (cpu_time_ns(tid) >= begin + ns) return;
    FAIL("task ", tid, " gets no CPU time");
  }

  std::unique_ptr<vmm::Machine> machine;
  std::optional<AgentClient> client;
  protocol::Hello hello;

 private:
  std::filesystem::path directory_;
};

std::optional<CachedKernel> cached_kernel() {
  const auto store = KernelStore::open();
  if (!store) return std::nullopt;
  auto kernel = store->resolve(std::nullopt);
  if (!kernel) return std::nullopt;
  return std::move(*kernel);
}

SpawnWorkers workers(const std::string& cgroup, Work work, std::size_t count) {
  return {cgroup, std::move(work), std::vector<CpuSet>(count), NormalPolicy{}, 0, ""};
}

/// The number behind "KEY:" in a file of /proc that has it in kB.
std::uint64_t kilobytes(const std::string& text, const std::string& key) {
  const auto at = text.find(key + ":");
  REQUIRE_MESSAGE(at != std::string::npos, key, " is not in\n", text);
  return std::stoull(text.substr(at + key.size() + 1));
}

std::string lines(const std::vector<std::int32_t>& numbers) {
  std::string text;
  for (const auto number : numbers) text += std::to_string(number) + "\n";
  return text;
}

}  // namespace

TEST_CASE("a worker has few pages and page tables of its own, and other programs have random addresses") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  Guest guest(*kernel, "1n2l1c1t");
  auto& client = *guest.client;
  must(client.ask(protocol::AddCgroup{"web"}));
  const Bursty work{std::chrono::milliseconds(1), std::chrono::milliseconds(20)};
  const auto pids = must(client.ask(workers("web", work, 50))).tids;
  guest.wait_for_progress(pids[25], 3'000'000);
  const auto of_worker = "/proc/" + std::to_string(pids[25]);
  CHECK(kilobytes(guest.text(of_worker + "/status"), "VmPTE") <= 40);
  const auto pages = guest.text(of_worker + "/smaps_rollup");
  INFO(pages);
  CHECK(kilobytes(pages, "Private_Dirty") <= 16);
  CHECK(kilobytes(pages, "Anonymous") <= 400);
  CHECK(guest.text("/proc/sys/kernel/randomize_va_space") == "2\n");
  CHECK(std::stoull(guest.text("/proc/sys/vm/min_free_kbytes")) <= 16 << 10);
}

TEST_CASE("a guest's cgroups, workers and cpusets are what was asked for") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  Guest guest(*kernel, "1n2l1c1t");
  auto& client = *guest.client;
  CHECK(guest.hello.cpus == 2);
  CHECK(guest.hello.kernel_release + "\n" == guest.text("/proc/sys/kernel/osrelease"));

  must(client.ask(
      protocol::AddCgroup{"web", CpuSet{0}, 200, 1.5, ByteSize{64 << 20}, ByteSize{48 << 20}, 100}));
  must(client.ask(protocol::AddCgroup{"batch", CpuSet{1}}));
  CHECK(guest.cgroup("web/cpuset.cpus.effective") == "0\n");
  CHECK(guest.cgroup("web/cpu.weight") == "200\n");
  CHECK(guest.cgroup("web/cpu.max") == "150000 100000\n");
  CHECK(guest.cgroup("web/memory.max") == "67108864\n");
  CHECK(guest.cgroup("web/memory.high") == "50331648\n");
  CHECK(guest.cgroup("web/pids.max") == "100\n");
  CHECK(guest.cgroup("batch/cpu.max") == "max 100000\n");

  const auto web = must(client.ask(workers("web", CpuSpin{}, 2))).tids;
  const auto batch = must(client.ask(protocol::SpawnWorkers{
                              "batch",
                              Bursty{std::chrono::milliseconds(5), std::chrono::milliseconds(5)},
                              {CpuSet{}},
                              FifoPolicy{3},
                              0,
                              "burst"}))
                         .tids;
  CHECK(guest.cgroup("web/cgroup.procs") == lines(web));
  CHECK(guest.text("/proc/" + std::to_string(batch[0]) + "/comm") == "burst\n");
  CHECK(guest.text("/proc/" + std::to_string(batch[0]) + "/sched")
            .find("policy                                       :                    1\n") !=
        std::string::npos);
  guest.wait_for_progress(web[0], 20'000'000);
  guest.wait_for_progress(batch[0], 20'000'000);

  must(client.ask(protocol::SetCpuset{"web", CpuSet{1}}));
  must(client.ask(protocol::SetCpuset{"batch", std::nullopt}));
  CHECK(guest.cgroup("web/cpuset.cpus.effective") == "1\n");
  CHECK(guest.cgroup("batch/cpuset.cpus.effective") == "0-1\n");
  guest.wait_for_progress(web[0], 20'000'000);

  must(client.ask(protocol::FreezeCgroup{"web", true}));
  CHECK(guest.cgroup("web/cgroup.events").find("frozen 1") != std::string::npos);
  // A cgroup is said to be frozen a moment before its tasks leave their CPUs (cgroup_enter_frozen() comes
  // before schedule()), and an emulated CPU may have to wait 100 ms for its next turn.
  guest.wait_for_progress(batch[0], 200'000'000);
  const auto frozen_at = guest.cpu_time_ns(web[0]);
  guest.wait_for_progress(batch[0], 20'000'000);
  CHECK(guest.cpu_time_ns(web[0]) == frozen_at);
  must(client.ask(protocol::FreezeCgroup{"web", false}));
  guest.wait_for_progress(web[0], 5'000'000);

  const auto reports = must(client.ask(protocol::StopWorkers{"web"})).reports;
  REQUIRE(reports.size() == 2);
  for (const auto& report : reports) {
    CHECK(report.completed);
    CHECK(report.cpus_used == CpuSet{0, 1});
    CHECK(report.migrations >= 1);
    CHECK(report.migration_cpus.at(0) == 1);
    CHECK(report.schedstat_cpu_time_ns.value() >= 40'000'000);
    CHECK(report.cpu_ns >= 40'000'000);
  }
  const auto removed = must(client.ask(protocol::RemoveCgroup{"batch"})).reports;
  CHECK(removed.at(0).wake_latencies_total > 0);
  for (const auto& report : reports) CHECK(report.stray_cpus.empty());
  CHECK(client.ask(protocol::ReadFile{"/sys/fs/cgroup/batch/cgroup.procs"}).error().code ==
        ErrorCode::kNotFound);

  must(client.shut_down());
  const auto event = must(guest.machine->wait_event(std::chrono::seconds(20)));
  CHECK(std::holds_alternative<vmm::GuestExited>(event));
}

/// Runs one group of `work`, longer each time, until each worker has got on: how much CPU time a worker needs
/// before its first iteration is the emulator's affair.
std::vector<WorkerReport> run_until_all_got_on(Guest& guest, const Work& work) {
  constexpr std::uint64_t kFirstTryNs = 2'000'000;
  constexpr std::uint64_t kLastTryNs = 2'000'000'000;
  for (std::uint64_t cpu_ns = kFirstTryNs;; cpu_ns *= 10) {
    const auto tids = must(guest.client->ask(workers("all", work, work_group_size(work)))).tids;
    for (const auto tid : tids) guest.wait_for_progress(tid, cpu_ns);
    auto reports = must(guest.client->ask(protocol::StopWorkers{"all"})).reports;
    const auto got_on = [](const WorkerReport& report) { return report.iterations > 0; };
    if (cpu_ns >= kLastTryNs || std::ranges::all_of(reports, got_on)) return reports;
  }
}

TEST_CASE("every work type gets on in a guest") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  Guest guest(*kernel, "1n2l1c1t");
  auto& client = *guest.client;
  must(client.ask(protocol::AddCgroup{"all"}));
  const auto phase = Duration(std::chrono::milliseconds(1));
  const std::vector<Work> types = {
      CpuSpin{},
      YieldHeavy{},
      Mixed{},
      IoSync{},
      Bursty{std::chrono::milliseconds(1), std::chrono::milliseconds(1)},
      PipeIo{},
      FutexPingPong{},
      CachePressure{},
      CacheYield{},
      CachePipe{},
      FutexFanOut{2, 1024},
      Sequence{{SpinPhase{phase}, SleepPhase{phase}, YieldPhase{phase}, IoPhase{phase}}},
      ForkExit{},
      NiceSweep{},
      AffinityChurn{},
      PolicyChurn{},
      PageFaultChurn{ByteSize{1 << 20}, 16, 64},
      MutexContention{2, 256, 1024},
      TimerLatency{}};
  REQUIRE(types.size() == std::variant_size_v<Work>);
  for (const auto& type : types) {
    for (const auto& report : run_until_all_got_on(guest, type)) {
      INFO(report.work, " of ", report.exit.how);
      CHECK(report.completed);
      CHECK(report.iterations > 0);
      CHECK(report.longest_gap_ns <= report.wall_ns);
      CHECK(report.schedstat_run_count.has_value());
    }
  }
}

TEST_CASE("a crowd of workers starts and stops within its deadline") {
  const auto kernel = cached_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  Guest guest(*kernel, "1n2l2c1t");
  auto& client = *guest.client;
  must(client.ask(protocol::AddCgroup{"a", CpuSet{0, 1}}));
  must(client.ask(protocol::AddCgroup{"b", CpuSet{2, 3}}));
  must(client.ask(workers("a", Mixed{}, 32)));
  const auto last = must(client.ask(workers("b", Mixed{}, 32))).tids.back();
  guest.wait_for_progress(last, 1'000'000);
  const auto reports = must(client.ask(protocol::StopWorkers{})).reports;
  CHECK(reports.size() == 64);
  CHECK(std::all_of(reports.begin(), reports.end(), [](const auto& report) { return report.completed; }));
  for (const auto& report : reports)
    CHECK(report.cpus_used.is_subset_of(report.cgroup == "a" ? CpuSet{0, 1} : CpuSet{2, 3}));
}

}  // namespace ktstr::engine
