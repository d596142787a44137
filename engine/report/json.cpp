#include "engine/report/json.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "engine/base/fd.h"
#include "engine/base/read.h"
#include "engine/base/write.h"

namespace ktstr::engine {
namespace {

/// Keeps every n-th element, the first one included, so that at most `cap` remain. Returns n.
template <class T>
std::size_t thin_out(std::vector<T>& elements, std::size_t cap) {
  if (cap == 0 || elements.size() <= cap) return 1;
  const std::size_t stride = (elements.size() + cap - 1) / cap;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < elements.size(); i += stride)
    if (kept++ != i) elements[kept - 1] = std::move(elements[i]);
  elements.resize(kept);
  return stride;
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok();
}

/// A device or pipe can't be replaced by a rename.
bool is_special(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

Status write_directly(const std::filesystem::path& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return system_error("open");
  return write_all(fd.get(), text);
}

/// A file that is removed again unless it was renamed into place.
class TemporaryFile {
 public:
  static Result<TemporaryFile> beside(const std::filesystem::path& path) {
    std::string name = path.string() + ".XXXXXX";
    Fd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) return system_error("create a file beside it");
    return TemporaryFile(std::move(name), std::move(fd));
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : name_(std::exchange(other.name_, {})), fd_(std::move(other.fd_)) {}
  ~TemporaryFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  [[nodiscard]] Status write(std::string_view text) {
    KTSTR_TRY_STATUS(write_all(fd_.get(), text));
    if (::fchmod(fd_.get(), 0644) != 0) return system_error("fchmod");
    if (::fsync(fd_.get()) != 0) return system_error("fsync");
    return ok();
  }
  [[nodiscard]] Status rename_to(const std::filesystem::path& path) {
    if (::rename(name_.c_str(), path.c_str()) != 0) return system_error("rename");
    name_.clear();
    return ok();
  }

 private:
  TemporaryFile(std::string name, Fd fd) : name_(std::move(name)), fd_(std::move(fd)) {}
  std::string name_;
  Fd fd_;
};

Status write_whole(const std::filesystem::path& path, std::string_view text) {
  auto file = KTSTR_TRY(TemporaryFile::beside(path));
  KTSTR_TRY_STATUS(file.write(text));
  return file.rename_to(path);
}

}  // namespace

RunReport thinned(RunReport report, const JsonCaps& caps) {
  if (report.monitor) report.sampling.sample_stride *= thin_out(report.monitor->samples, caps.samples);
  for (auto& group : report.workers)
    for (auto& worker : group.reports) thin_out(worker.wake_latencies_ns, caps.wake_latencies);
  return report;
}

Status write_json_file(const RunReport& report, const std::filesystem::path& path, const JsonCaps& caps) {
  const auto text = to_pretty_json(thinned(report, caps)) + "\n";
  auto status = is_special(path) ? write_directly(path, text) : write_whole(path, text);
  if (!status) return std::move(status.error()).with_context("JSON report " + path.string());
  return ok();
}

Status check_json_file(const std::filesystem::path& path) {
  const auto try_it = [&]() -> Status {
    if (!is_special(path)) {
      const auto file = TemporaryFile::beside(path);
      return file ? ok() : Status(Error(file.error()));
    }
    if (std::filesystem::is_directory(path)) return Error{ErrorCode::kIo, "is a directory"};
    return write_directly(path, "");
  };
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "JSON report: the path is empty"};
  auto status = try_it();
  if (!status) return std::move(status.error()).with_context("JSON report " + path.string());
  return ok();
}

Status check_directory(const std::filesystem::path& directory) {
  std::error_code error;
  auto there = std::filesystem::absolute(directory, error);
  while (there.has_relative_path() && !std::filesystem::exists(there, error)) there = there.parent_path();
  if (!std::filesystem::is_directory(there, error))
    return Error{ErrorCode::kIo, there.string() + " is no directory"};
  const auto file = TemporaryFile::beside(there / "trial");
  if (!file)
    return Error{file.error().code, there.string() + ": no file can be made there: " + file.error().message};
  return ok();
}

Result<RunReport> read_json_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return system_error("open " + path.string());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto report = from_json<RunReport>(text);
  if (!report) return std::move(report.error()).with_context(path.string());
  return report;
}

}  // namespace ktstr::engine
