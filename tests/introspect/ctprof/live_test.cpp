// A thread of known behaviour, captured before and after.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <semaphore>
#include <thread>

#include "engine/base/fd.h"
#include "introspect/ctprof/capture.h"
#include "tests/introspect/scratch_file.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr std::uint64_t kSpinNs = 30'000'000;
constexpr std::size_t kPages = 64;
constexpr std::size_t kSleeps = 10;
constexpr std::size_t kWrites = 16;
constexpr std::size_t kWriteBytes = 65536;
constexpr int kNice = 5;

std::uint64_t cpu_time_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void spin() {
  const auto end = cpu_time_ns() + kSpinNs;
  while (cpu_time_ns() < end) {
  }
}

void touch_pages() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory = ::mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  ::madvise(memory, kPages * page, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < kPages; ++i) static_cast<volatile char*>(memory)[i * page] = 1;
  ::munmap(memory, kPages * page);
}

void write_file() {
  const introspect::test::ScratchFile file;
  const Fd fd(::open(file.path().c_str(), O_WRONLY | O_CLOEXEC));
  const std::array<char, kWriteBytes> block{};
  for (std::size_t i = 0; i < kWrites; ++i)
    REQUIRE(::write(fd.get(), block.data(), block.size()) == kWriteBytes);
}

void change_scheduling() {
  const sched_param none{};
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  REQUIRE(::sched_setscheduler(0, SCHED_BATCH, &none) == 0);
  REQUIRE(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice) == 0);
  REQUIRE(::sched_setaffinity(0, sizeof(one), &one) == 0);
}

/// Does all of it between two captures, and still is there for the second.
class Subject {
 public:
  Subject() : thread_([this] { run(); }) { ready_.acquire(); }

  void act() {
    go_.release();
    ready_.acquire();
  }
  ~Subject() {
    go_.release();
    thread_.join();
  }
  [[nodiscard]] ThreadRecord capture() const {
    CaptureOptions options;
    options.pid = ::getpid();
    const auto threads = ctprof::capture(options).value().threads;
    const auto found = std::ranges::find(threads, tid_, &ThreadRecord::tid);
    REQUIRE(found != threads.end());
    return *found;
  }

 private:
  void run() {
    tid_ = static_cast<std::uint32_t>(::gettid());
    ready_.release();
    go_.acquire();
    spin();
    touch_pages();
    write_file();
    for (std::size_t i = 0; i < kSleeps; ++i) ::poll(nullptr, 0, 1);
    change_scheduling();
    ready_.release();
    go_.acquire();
  }

  std::uint32_t tid_ = 0;
  std::binary_semaphore go_{0}, ready_{0};
  std::thread thread_;
};

/// Whether a counter grew by that much or more, or this kernel does not count it.
template <class Q>
bool grew(std::optional<Q> ThreadRecord::*member, const ThreadRecord& before, const ThreadRecord& after,
          std::uint64_t by) {
  const auto &from = before.*member, &to = after.*member;
  return from.has_value() == to.has_value() && (!from || to->value >= from->value + by);
}

}  // namespace

TEST_CASE("counters of a living thread move by what it does") {
  Subject subject;
  const auto before = subject.capture();
  subject.act();
  const auto after = subject.capture();
  CHECK(grew(&ThreadRecord::run_time_ns, before, after, kSpinNs));
  CHECK(grew(&ThreadRecord::timeslices, before, after, kSleeps));
  CHECK(grew(&ThreadRecord::voluntary_csw, before, after, kSleeps));
  CHECK(grew(&ThreadRecord::minflt, before, after, kPages));
  CHECK(grew(&ThreadRecord::wchar, before, after, kWrites * kWriteBytes));
  CHECK(grew(&ThreadRecord::syscw, before, after, kWrites));
  CHECK(grew(&ThreadRecord::cpu_delay_count, before, after, kSleeps));
  CHECK(grew(&ThreadRecord::nr_wakeups, before, after, kSleeps));
  CHECK(grew(&ThreadRecord::voluntary_sleep_ns, before, after, kSleeps * 1'000'000));
  CHECK(after.start_time_clock_ticks == before.start_time_clock_ticks);
  CHECK(after.policy == Category{"SCHED_BATCH"});
  CHECK(after.nice == OrdinalI32{kNice});
  CHECK(after.cpu_affinity == CpuAffinity{std::to_string(after.processor->value)});
}

}  // namespace ktstr::introspect::ctprof
