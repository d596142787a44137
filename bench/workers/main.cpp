// bench_workers: what starting and stopping a worker costs, and how that grows with their number.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/agent/agent_client.h"
#include "engine/agent/host_agent.h"
#include "engine/base/io.h"
#include "engine/kernels/kernel_store.h"
#include "engine/run/agent_initramfs.h"
#include "engine/run/runner.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// At four times the workers, one may cost so many times as much.
constexpr double kGrowthLimit = 1.5;

struct Options {
  bool guest = false;
  std::string memory = "1G";
  std::string topology = "1n1l4c1t";
  std::size_t least = 500;
  std::size_t most = 8000;
};

/// An agent on this host or in a guest.
struct Agent {
  std::optional<engine::HostAgent> host;
  std::unique_ptr<vmm::Machine> machine;
  std::optional<engine::AgentClient> client;
};

Result<Agent> start_in_guest(const Options& options) {
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  const auto initramfs = KTSTR_TRY(engine::make_agent_initramfs());
  vmm::MachineConfig config;
  config.kernel_elf = kernel.elf;
  config.kernel_bzimage = kernel.bzimage;
  config.initramfs = path_of(initramfs.get());
  config.topology = KTSTR_TRY(vmm::Topology::parse(options.topology));
  config.memory = KTSTR_TRY(parse_byte_size(options.memory));
  Agent agent;
  agent.machine = KTSTR_TRY(vmm::start_qemu(config));
  agent.client.emplace(agent.machine->channel_fd(), -1, std::chrono::minutes(10));
  KTSTR_TRY(agent.client->wait_hello(engine::default_boot_timeout(config.topology)));
  return agent;
}

Result<Agent> start_here() {
  Agent agent;
  agent.host.emplace(KTSTR_TRY(engine::HostAgent::start("/nowhere")));
  agent.client.emplace(agent.host->channel_fd(), -1, std::chrono::minutes(10));
  KTSTR_TRY(agent.client->wait_hello(std::chrono::seconds(20)));
  return agent;
}

/// For each worker: milliseconds, and KB of memory that are no longer available while they are there.
struct Cost {
  std::size_t workers = 0;
  double start = 0, stop = 0, memory = 0;
};

/// KB.
Result<double> available_memory(engine::AgentClient& client) {
  const auto file = KTSTR_TRY(client.ask(engine::protocol::ReadFile{"/proc/meminfo"}));
  constexpr std::string_view kKey = "MemAvailable:";
  const auto at = file.content.find(kKey);
  if (at == std::string::npos) return Error{ErrorCode::kNotFound, "/proc/meminfo has no MemAvailable"};
  return std::strtod(file.content.c_str() + at + kKey.size(), nullptr);
}

Result<Cost> measure(engine::AgentClient& client, std::size_t count) {
  // They sleep: what is measured is the agent's work and the kernel's, not how workers fight for CPUs.
  const engine::Bursty work{std::chrono::microseconds(10), std::chrono::hours(1)};
  engine::protocol::SpawnWorkers request{std::nullopt,           work, std::vector<CpuSet>(count),
                                         engine::NormalPolicy{}, 0,    ""};
  const auto each = [&](Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count() /
           static_cast<double>(count);
  };
  const auto available = KTSTR_TRY(available_memory(client));
  auto begin = Clock::now();
  KTSTR_TRY(client.ask(request));
  Cost cost{.workers = count, .start = each(begin)};
  cost.memory = (available - KTSTR_TRY(available_memory(client))) / static_cast<double>(count);
  begin = Clock::now();
  const auto reports = KTSTR_TRY(client.ask(engine::protocol::StopWorkers{})).reports;
  cost.stop = each(begin);
  const auto lost = count - static_cast<std::size_t>(std::ranges::count_if(
                                reports, [](const auto& report) { return report.completed; }));
  if (lost > 0)
    return Error{ErrorCode::kGuestFailed, fmt::format("{} of {} workers did not stop in order", lost, count)};
  fmt::print("{:6} workers: start {:.3f} ms each, stop and report {:.3f} ms each, memory {:.0f} KB each\n",
             count, cost.start, cost.stop, cost.memory);
  return cost;
}

bool report_growth(const Cost& fewer, const Cost& more) {
  const double start = more.start / fewer.start, stop = more.stop / fewer.stop;
  const double memory = more.memory / fewer.memory;
  const bool ok = start <= kGrowthLimit && stop <= kGrowthLimit && memory <= kGrowthLimit;
  fmt::print(
      "from {} to {}: a worker's start costs {:.2f} times as much, its stop {:.2f}, its memory {:.2f} (at "
      "most "
      "{:.2f}) {}\n",
      fewer.workers, more.workers, start, stop, memory, kGrowthLimit, ok ? "ok" : "MISSED");
  return ok;
}

Result<bool> bench(const Options& options) {
  auto agent = KTSTR_TRY(options.guest ? start_in_guest(options) : start_here());
  bool good = true;
  std::optional<Cost> before;
  for (auto count = options.least; count <= options.most; count *= 4) {
    const auto cost = KTSTR_TRY(measure(*agent.client, count));
    if (before) good = report_growth(*before, cost) && good;
    before = cost;
  }
  return good;
}

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  CLI::App app("Cost of workers by their number");
  ktstr::bench::Options options;
  app.add_flag("--guest", options.guest, "in a guest instead of on this host");
  app.add_option("--memory", options.memory, "of the guest");
  app.add_option("--topology", options.topology, "of the guest");
  app.add_option("--least", options.least, "workers to begin with");
  app.add_option("--most", options.most,
                 "workers at most; each round has four times as many as the one before");
  CLI11_PARSE(app, argc, argv);
  const auto good = ktstr::bench::bench(options);
  if (!good) fmt::print(stderr, "bench_workers: {}\n", good.error().message);
  return good && *good ? 0 : 1;
}
