// bench_fork: what a snapshot and a fork of it take, against a boot to the same point.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>

#include "engine/kernels/kernel_store.h"
#include "vmm/initramfs.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kAnswerMilliseconds = 60'000;
constexpr double kForkLimit = 0.10;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Status wait_for_byte(const vmm::Machine& machine) {
  pollfd ready{machine.channel_fd(), POLLIN, 0};
  char byte = 0;
  if (::poll(&ready, 1, kAnswerMilliseconds) != 1 || ::recv(machine.channel_fd(), &byte, 1, 0) != 1)
    return Error{ErrorCode::kGuestFailed, "the guest says nothing: " + machine.console_tail(5)};
  return ok();
}

Status ping(const vmm::Machine& machine) {
  if (::send(machine.channel_fd(), "p", 1, MSG_NOSIGNAL) != 1) return system_error("send to the guest");
  return wait_for_byte(machine);
}

/// Milliseconds.
struct Round {
  double boot = 0, snapshot = 0, fork = 0, answer = 0, next_answer = 0;
};

Status time_fork(const vmm::MachineSnapshot& snapshot, Round& round) {
  const auto start = Clock::now();
  const auto fork = KTSTR_TRY(snapshot.fork({}));
  round.fork = ms_since(start);
  KTSTR_TRY(ping(*fork));
  round.answer = ms_since(start);
  const auto next = Clock::now();
  KTSTR_TRY(ping(*fork));
  round.next_answer = ms_since(next);
  return ok();
}

Result<Round> run_round(const vmm::MachineConfig& config) {
  Round round;
  const auto start = Clock::now();
  auto machine = KTSTR_TRY(vmm::start_qemu(config));
  KTSTR_TRY(wait_for_byte(*machine));
  round.boot = ms_since(start);
  const auto taking = Clock::now();
  const auto snapshot = KTSTR_TRY(machine->snapshot(30s));
  round.snapshot = ms_since(taking);
  machine.reset();
  KTSTR_TRY(time_fork(*snapshot, round));
  return round;
}

double median(const std::vector<Round>& rounds, double Round::*value) {
  std::vector<double> values;
  for (const auto& round : rounds) values.push_back(round.*value);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double least(const std::vector<Round>& rounds, double Round::*value) {
  return std::ranges::min(rounds, {}, value).*value;
}

bool report(const std::vector<Round>& rounds) {
  const auto line = [&](const char* what, double Round::*value) {
    fmt::print("{:32} median {:8.1f} ms, least {:8.1f} ms\n", what, median(rounds, value),
               least(rounds, value));
  };
  line("boot to ready", &Round::boot);
  line("snapshot()", &Round::snapshot);
  line("fork()", &Round::fork);
  line("fork() to the guest's answer", &Round::answer);
  line("its next answer", &Round::next_answer);
  const auto share = median(rounds, &Round::answer) / median(rounds, &Round::boot);
  fmt::print("fork to answer / boot to ready {:.3f} (at most {:.2f}) {}\n", share, kForkLimit,
             share <= kForkLimit ? "ok" : "MISSED");
  return share <= kForkLimit;
}

Result<bool> bench(int count, const std::string& topology, const std::filesystem::path& initramfs) {
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  KTSTR_TRY(vmm::write_initramfs({{"init", std::filesystem::path(KTSTR_BOOT_INIT)}}, initramfs));
  vmm::MachineConfig config;
  config.kernel_elf = kernel.elf;
  config.kernel_bzimage = kernel.bzimage;
  config.initramfs = initramfs;
  config.topology = KTSTR_TRY(vmm::Topology::parse(topology));
  config.memory = ByteSize{512ULL << 20};
  std::vector<Round> rounds;
  for (int i = 0; i < count; ++i) rounds.push_back(KTSTR_TRY(run_round(config)));
  return report(rounds);
}

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  CLI::App app("Time of snapshots and forks of a QEMU machine");
  int rounds = 7;
  std::string topology = "1n2l1c1t";
  app.add_option("--rounds", rounds, "how often a guest is booted and forked")->check(CLI::PositiveNumber);
  app.add_option("--topology", topology, "of the guest");
  CLI11_PARSE(app, argc, argv);
  const auto initramfs =
      std::filesystem::temp_directory_path() / fmt::format("ktstr-bench-fork-{}", ::getpid());
  const auto met = ktstr::bench::bench(rounds, topology, initramfs);
  std::filesystem::remove(initramfs);
  if (!met) fmt::print(stderr, "bench_fork: {}\n", met.error().message);
  return met ? (*met ? 0 : 1) : 3;
}
