#include "engine/report/json.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/base/durable_file.h"
#include "engine/base/io.h"
#include "engine/base/mapped_file.h"
#include "engine/base/read_format.h"
#include "engine/base/write.h"

namespace ktstr::engine {
namespace {

/// Some 10 000 samples of 250 CPUs.
constexpr JsonLimits kReportLimits{.values = 50'000'000};

/// Of `size` elements every how many-th remains so that they are at most `cap` (0: any number).
std::size_t stride_for(std::size_t size, std::size_t cap) {
  return cap == 0 || size <= cap ? 1 : (size + cap - 1) / cap;
}

void thin_out_samples(RunReport& report, std::size_t cap) {
  auto& samples = report.monitor->samples;
  const auto stride = stride_for(samples.size(), cap);
  if (stride == 1) return;
  samples = samples.thinned(stride);
  report.sampling.sample_stride *= stride;
}

/// Keeps every n-th element, the first one included, so that at most `cap` remain.
template <class T>
void thin_out(std::vector<T>& elements, std::size_t cap) {
  const std::size_t stride = stride_for(elements.size(), cap);
  if (stride == 1) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < elements.size(); i += stride)
    if (kept++ != i) elements[kept - 1] = std::move(elements[i]);
  elements.resize(kept);
}

/// A terminal, a pipe: what can be written to and not replaced.
bool is_stream(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode));
}

Status write_to_stream(const std::filesystem::path& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return system_error("open").with_context(path.string());
  KTSTR_TRY(write_all(fd.get(), text), path.string());
  return ok();
}

/// "JSON report PATH: why".
Status about_report(Status status) {
  if (!status) status.error().message.insert(0, "JSON report ");
  return status;
}

}  // namespace

RunReport thinned(RunReport report, const JsonCaps& caps) {
  if (report.monitor) thin_out_samples(report, caps.samples);
  for (auto& group : report.workers)
    for (auto& worker : group.reports) thin_out(worker.wake_latencies_ns, caps.wake_latencies);
  return report;
}

Status write_json_file(const RunReport& report, const std::filesystem::path& path, const JsonCaps& caps) {
  const auto text = to_pretty_json(thinned(report, caps)) + "\n";
  return about_report(is_stream(path) ? write_to_stream(path, text) : write_new_file(path, text));
}

Status check_json_file(const std::filesystem::path& path) {
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "JSON report: the path is empty"};
  if (is_stream(path)) return about_report(write_to_stream(path, ""));
  const auto file = NewFile::beside(path);
  return file ? ok() : about_report(Error(file.error()));
}

Status check_directory(const std::filesystem::path& directory) {
  std::error_code error;
  auto there = std::filesystem::absolute(directory, error);
  while (there.has_relative_path() && !std::filesystem::exists(there, error)) there = there.parent_path();
  if (!std::filesystem::is_directory(there, error))
    return Error{ErrorCode::kIo, there.string() + " is no directory"};
  const auto file = NewFile::beside(there / "trial");
  if (!file)
    return Error{file.error().code, "no file can be made in " + there.string() + ": " + file.error().message};
  return ok();
}

Result<RunReport> parse_json_report(std::string_view json, std::string* note) {
  const auto tree = KTSTR_TRY(parse_json(json, kReportLimits));
  const auto found = KTSTR_TRY(format_of(tree, "format", {1, 0}));
  RunReport report;
  auto left_out = KTSTR_TRY(read_format(tree, report, found, kRunReportFormat));
  report.format = kRunReportFormat.to_string();
  if (note) *note = std::move(left_out);
  return report;
}

Result<RunReport> read_json_file(const std::filesystem::path& path, std::string* note) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  return KTSTR_TRY(parse_json_report(text, note), path.string());
}

}  // namespace ktstr::engine
