#include "engine/guest/kernel_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::chrono::seconds kWriteTimeout{2};
constexpr int kBusyRetries = 3;
constexpr timespec kBusyPause{0, 100'000'000};

/// Writes in a thread of its own: one that hangs in the kernel can't be interrupted, only left behind.
struct WriteJob {
  std::string path;
  std::vector<std::string> values;
  std::mutex mutex;
  std::condition_variable finished;
  std::size_t written = 0;
  std::optional<int> error;  ///< 0 or errno, once it is over
};

/// 0 or errno.
int write_with_retries(int file, const std::string& value) {
  for (int tries = 0;; ++tries) {
    if (::write(file, value.data(), value.size()) >= 0 || errno == ESRCH) return 0;
    if (errno != EBUSY || tries == kBusyRetries) return errno;
    ::nanosleep(&kBusyPause, nullptr);
  }
}

int write_values(WriteJob& job) {
  const Fd file(::open(job.path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  for (const auto& value : job.values) {
    if (const int error = write_with_retries(file.get(), value)) return error;
    const std::lock_guard lock(job.mutex);
    ++job.written;
  }
  return 0;
}

void* run_job(void* argument) {
  const std::unique_ptr<std::shared_ptr<WriteJob>> owner(static_cast<std::shared_ptr<WriteJob>*>(argument));
  auto& job = **owner;
  const int error = write_values(job);
  const std::lock_guard lock(job.mutex);
  job.error = error;
  job.finished.notify_one();
  return nullptr;
}

std::atomic<bool> stuck_writers = false;

/// std::thread would throw where there is no room for another task.
Status start_writer(const std::shared_ptr<WriteJob>& job, pthread_t& thread) {
  auto argument = std::make_unique<std::shared_ptr<WriteJob>>(job);
  if (const int error = ::pthread_create(&thread, nullptr, run_job, argument.get()))
    return system_error("start a thread for writing", error);
  (void)argument.release();
  return ok();
}

/// Waits for the job's end; false when it writes nothing for kWriteTimeout.
bool wait_for_end(WriteJob& job, std::unique_lock<std::mutex>& lock) {
  auto seen = job.written;
  while (!job.finished.wait_for(lock, kWriteTimeout, [&] { return job.error.has_value(); })) {
    if (job.written == seen) return false;
    seen = job.written;
  }
  return true;
}

}  // namespace

std::vector<pid_t> pids_in(std::string_view text) {
  std::vector<pid_t> pids;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc()) pids.push_back(pid);
    at = next + 1;
  }
  return pids;
}

std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    const auto digits = line.find_first_not_of(": ");
    if (digits == 0 || digits == line.npos) continue;
    std::uint64_t number = 0;
    const auto error = std::from_chars(line.data() + digits, line.data() + line.size(), number).ec;
    return error == std::errc() ? std::optional(number) : std::nullopt;
  }
  return std::nullopt;
}

Status write_control(const std::string& path, std::vector<std::string> values) {
  const auto job = std::make_shared<WriteJob>();
  job->path = path;
  job->values = std::move(values);
  pthread_t writer;
  KTSTR_TRY(start_writer(job, writer));
  std::unique_lock lock(job->mutex);
  const bool ended = wait_for_end(*job, lock);
  if (ended) {
    lock.unlock();
    ::pthread_join(writer, nullptr);
  } else {
    ::pthread_detach(writer);
    stuck_writers = true;
  }
  if (ended && *job->error == 0) return ok();
  const auto& value = job->values[job->written];
  const auto what = "write \"" + value.substr(0, value.find('\n')) + "\" to " + path;
  if (!ended) return Error{ErrorCode::kTimeout, what + ": no answer from the kernel within 2 s"};
  return system_error(what, *job->error);
}

bool has_stuck_writers() {
  return stuck_writers;
}

Status write_control(const std::string& path, std::string_view value) {
  return write_control(path, std::vector{std::string(value)});
}

}  // namespace ktstr::engine::guest
