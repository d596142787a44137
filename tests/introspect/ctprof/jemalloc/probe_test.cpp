// Counters read from running programs are what their own jemalloc says.
#include "introspect/ctprof/jemalloc/probe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "introspect/ctprof/capture.h"
#include "tests/introspect/ctprof/jemalloc/allocator.h"
#include "tests/introspect/scratch_file.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::Allocator;

constexpr std::uint64_t kBlock = 4096;
constexpr int kThreads = 4;

Snapshot probed(pid_t pid) {
  CaptureOptions options;
  options.pid = pid;
  auto snapshot = capture(options).value();
  probe_jemalloc("/proc", snapshot);
  return snapshot;
}

const ThreadRecord& thread(const Snapshot& snapshot, int tid) {
  const auto found = std::ranges::find(snapshot.threads, static_cast<std::uint32_t>(tid), &ThreadRecord::tid);
  REQUIRE(found != snapshot.threads.end());
  return *found;
}

/// The values of a line of every thread's status, as "State:\tS (sleeping)".
std::vector<std::string> status_lines(pid_t pid, const std::string& key) {
  std::vector<std::string> lines;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(key + ":")) lines.push_back(line);
  }
  return lines;
}

void check_untraced(pid_t pid) {
  for (const auto& line : status_lines(pid, "TracerPid")) CHECK(line == "TracerPid:\t0");
}

void check_counters(const Allocator& allocator, const Snapshot& snapshot) {
  REQUIRE(allocator.told().size() == kThreads);
  std::uint64_t number = 0;
  for (const auto& told : allocator.told()) {
    ++number;
    const auto& record = thread(snapshot, told.tid);
    CHECK(record.allocated_bytes == Bytes{told.allocated});
    CHECK(record.deallocated_bytes == Bytes{told.deallocated});
    CHECK(told.allocated == 100 * number * kBlock);
    CHECK(told.deallocated == 50 * number * kBlock);
  }
  CHECK(thread(snapshot, allocator.pid()).allocated_bytes == Bytes{0});
}

void check_found(const std::string& linked, const std::string& mode) {
  Allocator allocator(Allocator::program(linked), kThreads, mode);
  const auto snapshot = probed(allocator.pid());
  check_counters(allocator, snapshot);
  CHECK(snapshot.probe_summary->jemalloc_detected == 1);
  CHECK(snapshot.probe_summary->probed_ok == kThreads + 1);
  CHECK(snapshot.probe_summary->failed == 0);
  check_untraced(allocator.pid());
  allocator.end();
}

void check_without_counters(const std::string& linked, const std::string& reason) {
  Allocator allocator(Allocator::program(linked), kThreads, "wait");
  const auto snapshot = probed(allocator.pid());
  for (const auto& record : snapshot.threads) CHECK(!record.allocated_bytes);
  CHECK(snapshot.probe_summary->outcomes_without_counters ==
        std::map<std::string, std::uint64_t>{{reason, 1}});
}

}  // namespace

TEST_CASE("the probe reads exact counters of a program with a shared jemalloc") {
  NEEDS_ALLOCATORS();
  check_found("shared", "wait");
}

TEST_CASE("the probe reads exact counters of a program with a static jemalloc") {
  NEEDS_ALLOCATORS();
  check_found("static", "wait");
}

TEST_CASE("the probe reads exact counters of a position-independent program") {
  NEEDS_ALLOCATORS();
  check_found("pie", "wait");
}

TEST_CASE("the probe reads exact counters of a program without shared objects") {
  NEEDS_ALLOCATORS();
  check_found("all_static", "wait");
}

TEST_CASE("the probe reads exact counters of threads that run") {
  NEEDS_ALLOCATORS();
  check_found("shared", "spin");
}

TEST_CASE("the probe takes symbols and types from a separate debug file") {
  NEEDS_ALLOCATORS();
  check_found("shared_debug_file", "wait");
}

TEST_CASE("a jemalloc without debug information is a failure that can be helped") {
  NEEDS_ALLOCATORS();
  check_without_counters("shared_stripped", "dwarf-missing");
  check_without_counters("static_no_dwarf", "dwarf-missing");
}

TEST_CASE("a program without any symbols is not known to have jemalloc") {
  NEEDS_ALLOCATORS();
  check_without_counters("static_stripped", "jemalloc-not-found");
}

TEST_CASE("the probe reads a program whose file was deleted") {
  NEEDS_ALLOCATORS();
  const introspect::test::ScratchFile copy;
  std::filesystem::copy_file(Allocator::program("pie"), copy.path(),
                             std::filesystem::copy_options::overwrite_existing);
  ::chmod(copy.path().c_str(), 0700);
  Allocator allocator(copy.path(), kThreads, "wait");
  ::unlink(copy.path().c_str());
  check_counters(allocator, probed(allocator.pid()));
}

TEST_CASE("a stopped program stays stopped") {
  NEEDS_ALLOCATORS();
  Allocator allocator(Allocator::program("shared"), kThreads, "wait");
  ::kill(allocator.pid(), SIGSTOP);
  int status = 0;
  REQUIRE(::waitpid(allocator.pid(), &status, WUNTRACED) == allocator.pid());
  check_counters(allocator, probed(allocator.pid()));
  check_untraced(allocator.pid());
  const std::vector<std::string> stopped(kThreads + 1, "State:\tT (stopped)");
  while (status_lines(allocator.pid(), "State") != stopped)
    std::this_thread::yield();  // each stops again itself
  ::kill(allocator.pid(), SIGCONT);
  allocator.end();
}

TEST_CASE("signals that come while threads are probed all arrive") {
  NEEDS_ALLOCATORS();
  Allocator allocator(Allocator::program("shared"), kThreads, "spin");
  std::atomic<bool> probing = true;
  int sent = 0;
  std::jthread sender([&] {
    while (probing) sent += ::sigqueue(allocator.pid(), SIGRTMIN, {}) == 0;  // fails while its queue is full
  });
  for (int i = 0; i < 20; ++i) static_cast<void>(probed(allocator.pid()));
  probing = false;
  sender.join();
  check_untraced(allocator.pid());
  CHECK(sent > 0);
  CHECK(allocator.end() == sent);
}

TEST_CASE("threads that end while they are probed are left alone") {
  NEEDS_ALLOCATORS();
  Allocator allocator(Allocator::program("shared"), kThreads, "churn");
  std::uint64_t read = 0;
  for (int i = 0; i < 50; ++i) {
    const auto snapshot = probed(allocator.pid());
    read += snapshot.probe_summary->probed_ok;
    for (const auto& record : snapshot.threads) {
      const auto allocated = record.allocated_bytes.value_or(Bytes{0}).value;
      CHECK(allocated % kBlock == 0);
      CHECK(allocated <= 100 * kBlock);
    }
  }
  CHECK(read > 0);
  check_untraced(allocator.pid());
  allocator.end();
}

TEST_CASE("a program that is killed while it is probed is its parent's to wait for") {
  NEEDS_ALLOCATORS();
  for (int i = 0; i < 10; ++i) {
    Allocator allocator(Allocator::program("shared"), 50, "spin");
    std::jthread killer([&] {
      for (int turn = 0; turn < i; ++turn) std::this_thread::yield();  // later from round to round
      ::kill(allocator.pid(), SIGKILL);
    });
    static_cast<void>(probed(allocator.pid()));
    killer.join();
    int status = 0;
    REQUIRE(::waitpid(allocator.pid(), &status, 0) == allocator.pid());
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
  }
}

TEST_CASE("programs without jemalloc, and this one itself, are passed over") {
  CaptureOptions options;
  options.pid = ::getpid();
  auto snapshot = capture(options).value();
  probe_jemalloc("/proc", snapshot);
  CHECK(snapshot.probe_summary == ProbeSummary{});
  snapshot.threads[0].tgid = static_cast<std::uint32_t>(::getppid());
  probe_jemalloc("/proc", snapshot);
  CHECK(snapshot.probe_summary->tgids_walked == 1);
  CHECK(snapshot.probe_summary->failed == 0);
  CHECK(snapshot.probe_summary->outcomes_without_counters.at("jemalloc-not-found") == 1);
}

}  // namespace ktstr::introspect::ctprof
