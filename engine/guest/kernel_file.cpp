#include "engine/guest/kernel_file.h"

#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::chrono::seconds kWriteTimeout{2};
constexpr int kBusyRetries = 3;
constexpr timespec kBusyPause{0, 100'000'000};
constexpr std::size_t kReadStep = 64 * 1024;

/// 0 or errno.
int write_once(const std::string& path, const std::string& value) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  const auto written = ::write(file.get(), value.data(), value.size());
  return written < 0 ? errno : 0;
}

int write_with_retries(const std::string& path, const std::string& value) {
  int error = write_once(path, value);
  for (int i = 0; i < kBusyRetries && error == EBUSY; ++i) {
    ::nanosleep(&kBusyPause, nullptr);
    error = write_once(path, value);
  }
  return error == ESRCH ? 0 : error;
}

/// A write of its own thread: one that hangs in the kernel can't be interrupted, only left behind.
struct WriteJob {
  std::string path;
  std::string value;
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<int> error;
};

}  // namespace

Result<FileText> read_file(const std::string& path, std::size_t limit) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open " + path);
  FileText content;
  while (content.text.size() <= limit) {
    const auto size = content.text.size();
    content.text.resize(size + std::min(kReadStep, limit + 1 - size));
    const auto got = ::read(file.get(), content.text.data() + size, content.text.size() - size);
    content.text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR) return system_error("read " + path);
    if (got == 0) return content;
  }
  content.text.resize(limit);
  content.truncated = true;
  return content;
}

Status write_control(const std::string& path, std::string_view value) {
  const auto job = std::make_shared<WriteJob>();
  job->path = path;
  job->value = value;
  std::thread([job] {
    const int error = write_with_retries(job->path, job->value);
    const std::lock_guard lock(job->mutex);
    job->error = error;
    job->finished.notify_one();
  }).detach();
  std::unique_lock lock(job->mutex);
  const auto what = "write \"" + std::string(value.substr(0, value.find('\n'))) + "\" to " + path;
  if (!job->finished.wait_for(lock, kWriteTimeout, [&] { return job->error.has_value(); }))
    return Error{ErrorCode::kTimeout, what + ": no answer from the kernel within 2 s"};
  if (*job->error) return system_error(what, *job->error);
  return ok();
}

}  // namespace ktstr::engine::guest
