#include "tests/introspect/ctprof/subject.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/fd.h"
#include "introspect/ctprof/metrics.h"
#include "tests/introspect/scratch_file.h"

namespace ktstr::introspect::ctprof::subject {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSpinNs = 30 * kMs;
constexpr std::uint64_t kContendedNs = 40 * kMs;
constexpr std::size_t kPages = 64;
constexpr std::size_t kSharedPages = 16;
constexpr std::size_t kSleeps = 10;
constexpr int kSleepMs = 1;
constexpr int kBlockedMs = 20;

std::uint64_t cpu_time_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void spin(std::uint64_t ns) {
  const auto end = cpu_time_ns() + ns;
  while (cpu_time_ns() < end) {
  }
}

/// One thread waits until another has come to a point.
class Signal {
 public:
  void give() {
    const std::lock_guard lock(mutex_);
    given_ = true;
    changed_.notify_one();
  }
  void await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return given_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool given_ = false;
};

/// Pages of no huge one, none of which is there yet.
class Pages {
 public:
  explicit Pages(std::size_t count) : size_(count * page_) {
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    KTSTR_CHECK(memory_ != MAP_FAILED);
    ::madvise(memory_, size_, MADV_NOHUGEPAGE);
  }
  ~Pages() { ::munmap(memory_, size_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void write() {
    for (std::size_t at = 0; at < size_; at += page_) static_cast<volatile char*>(memory_)[at] = 1;
  }

 private:
  std::size_t page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::size_t size_;
  void* memory_;
};

void write_and_read_file() {
  const introspect::test::ScratchFile file;
  const Fd fd(::open(file.path().c_str(), O_RDWR | O_CLOEXEC));
  std::array<char, kFileBytes / kFileCalls> block{};
  for (std::size_t i = 0; i < kFileCalls; ++i) KTSTR_CHECK(::write(fd.get(), block.data(), block.size()) > 0);
  KTSTR_CHECK(::lseek(fd.get(), 0, SEEK_SET) == 0);
  for (std::size_t i = 0; i < kFileCalls; ++i) KTSTR_CHECK(::read(fd.get(), block.data(), block.size()) > 0);
}

/// Writes pages while a child shares them: each is copied. The child lives until its end of the pipe closes.
void copy_on_write() {
  Pages pages(kSharedPages);
  pages.write();
  int ends[2];
  KTSTR_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  const auto child = ::fork();
  KTSTR_CHECK(child >= 0);
  if (child == 0) {
    ::close(ends[1]);
    char none;
    ::_exit(::read(ends[0], &none, 1) == 0 ? 0 : 1);
  }
  pages.write();
  ::close(ends[0]);
  ::close(ends[1]);
  KTSTR_CHECK(::waitpid(child, nullptr, 0) == child);
}

/// The parent of such a child sleeps uninterruptibly until the child has ended.
void wait_uninterruptibly() {
  const auto child = ::syscall(SYS_clone, CLONE_VFORK | SIGCHLD, nullptr, nullptr, nullptr, 0);
  KTSTR_CHECK(child >= 0);
  if (child == 0) {
    ::poll(nullptr, 0, kBlockedMs);
    ::_exit(0);
  }
  KTSTR_CHECK(::waitpid(static_cast<pid_t>(child), nullptr, 0) == child);
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  KTSTR_CHECK(::sched_getaffinity(0, sizeof set, &set) == 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

void stay_on(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  KTSTR_CHECK(::sched_setaffinity(0, sizeof one, &one) == 0);
}

/// Spins on a CPU together with another thread of the same policy.
void contend(int cpu) {
  stay_on(cpu);
  std::atomic<bool> done = false;
  Signal spins;
  std::thread rival([&] {
    stay_on(cpu);
    spins.give();
    while (!done) {
    }
  });
  spins.await();
  spin(kContendedNs);
  done = true;
  rival.join();
}

void change_scheduling() {
  const sched_param none{};
  KTSTR_CHECK(::sched_setscheduler(0, SCHED_BATCH, &none) == 0);
  KTSTR_CHECK(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kSubjectNice) == 0);
}

void act() {
  const auto cpus = allowed_cpus();
  spin(kSpinNs);
  Pages(kPages).write();
  write_and_read_file();
  for (std::size_t i = 0; i < kSleeps; ++i) ::poll(nullptr, 0, kSleepMs);
  copy_on_write();
  wait_uninterruptibly();
  contend(cpus.front());
  stay_on(cpus.back());
  change_scheduling();
}

/// UBSan's runtime sees whether memory is there by writing it into a pipe.
constexpr std::uint64_t kRuntimeBytes = 256, kRuntimeCalls = 8;

std::vector<Expected> expected() {
  const std::uint64_t spun_ms = (kSpinNs + kContendedNs) / kMs;
  const std::uint64_t moves = allowed_cpus().size() > 1 ? 1 : 0;
  return {
      {"run_time_ns", spun_ms * kMs},
      {"wait_time_ns", 1},
      {"timeslices", kSleeps + 3},
      {"voluntary_csw", kSleeps + 3, 20 * kSleeps},
      {"nonvoluntary_csw", 1},
      {"nr_wakeups", kSleeps + 3, 20 * kSleeps},
      {"nr_migrations", moves},
      {"wait_sum", 1},
      {"wait_count", kSleeps + 3},
      {"wait_max", 1},
      {"voluntary_sleep_ns", kSleeps * kSleepMs * kMs},
      {"sleep_max", kSleepMs * kMs},
      {"block_sum", kBlockedMs * kMs},
      {"block_max", kBlockedMs * kMs},
      {"iowait_sum", 0},
      {"iowait_count", 0},
      {"exec_max", 1},
      {"minflt", kPages + kSharedPages, 20 * kPages},
      {"rchar", kFileBytes, kFileBytes + kRuntimeBytes},
      {"wchar", kFileBytes, kFileBytes + kRuntimeBytes},
      {"syscr", kFileCalls, kFileCalls + kRuntimeCalls},
      {"syscw", kFileCalls, kFileCalls + kRuntimeCalls},
      {"cpu_delay_count", kSleeps + 3},
      {"cpu_delay_total_ns", 1},
      {"cpu_delay_max_ns", 1},
      {"blkio_delay_count", 0},
      {"wpcopy_delay_count", kSharedPages, 20 * kPages},
      {"wpcopy_delay_total_ns", 1},
      {"hiwater_rss_bytes", kPages * 4096},
      {"hiwater_vm_bytes", kPages * 4096},
  };
}

template <class T>
std::optional<std::uint64_t> as_number(const T& value) {
  if constexpr (std::integral<T> && !std::same_as<T, char>)
    return static_cast<std::uint64_t>(value);
  else
    return std::nullopt;
}

/// How far a metric went: of peaks where it is.
std::uint64_t moved(const Metric& metric, std::uint64_t before, std::uint64_t after) {
  const bool is_peak = metric.kind() == Kind::kPeakNs || metric.kind() == Kind::kPeakBytes;
  return is_peak ? after : after - before;
}

}  // namespace

const std::vector<Expected>& expected_of_subject() {
  static const auto all = expected();
  return all;
}

Result<std::pair<Snapshot, Snapshot>> capture_around_subject() {
  CaptureOptions options;
  options.pid = ::getpid();
  options.workers = 1;
  Signal began, act_now, acted, end;
  std::thread thread([&] {
    ::prctl(PR_SET_NAME, kSubjectName.data());
    began.give();
    act_now.await();
    act();
    acted.give();
    end.await();
  });
  began.await();
  auto before = capture(options);
  act_now.give();
  acted.await();
  auto after = capture(options);
  end.give();
  thread.join();
  return std::pair(KTSTR_TRY(std::move(before)), KTSTR_TRY(std::move(after)));
}

const ThreadRecord& subject_of(const Snapshot& snapshot) {
  const auto found =
      std::ranges::find(snapshot.threads, std::optional(std::string(kSubjectName)), &ThreadRecord::comm);
  KTSTR_CHECK(found != snapshot.threads.end());
  return *found;
}

std::optional<std::uint64_t> number_of(const ThreadRecord& record, std::string_view metric) {
  const auto* found = find_metric(metric);
  KTSTR_CHECK(found != nullptr);
  return std::visit(
      [&](auto member) {
        const auto& value = record.*member;
        return value ? as_number(value->value) : std::nullopt;
      },
      found->member);
}

std::vector<std::string> deviations(const ThreadRecord& before, const ThreadRecord& after,
                                    std::vector<std::string>& absent) {
  std::vector<std::string> lines;
  for (const auto& [metric, least, most] : expected_of_subject()) {
    const std::string name(metric);
    const auto from = number_of(before, metric), to = number_of(after, metric);
    if (!from && !to) {
      absent.push_back(name);
    } else if (!to) {
      lines.push_back(name + " went away");
    } else if (const auto by = moved(*find_metric(metric), from.value_or(0), *to); by < least || by > most) {
      lines.push_back(name + " moved by " + std::to_string(by) + ", not " + std::to_string(least) + " to " +
                      std::to_string(most));
    }
  }
  return lines;
}

}  // namespace ktstr::introspect::ctprof::subject
