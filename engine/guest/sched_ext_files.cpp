#include "engine/guest/sched_ext_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kNameLimit = 256;
constexpr int kLevelError = 3;  // KERN_ERR
constexpr int kLevelMask = 7;   // below the facility

std::string first_line(std::string text) {
  text.resize(std::min(text.size(), text.find('\n')));
  return text;
}

}  // namespace

Result<SchedExtState> read_sched_ext(const std::string& directory) {
  auto state = read_file(directory + "/state", kNameLimit);
  if (!state && state.error().code == ErrorCode::kNotFound)
    return Error{ErrorCode::kUnavailable, "the kernel has no sched_ext"};
  if (!state) return Error(state.error());
  SchedExtState result{first_line(std::move(state->text)), std::nullopt};
  // root/ goes away with the scheduler, also between opening and reading.
  if (auto ops = read_file(directory + "/root/ops", kNameLimit))
    result.ops = first_line(std::move(ops->text));
  return result;
}

KernelLog::KernelLog(const char* device) : device_(::open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  if (device_) ::lseek(device_.get(), 0, SEEK_END);
}

void KernelLog::update() {
  char record[8192];  // CONSOLE_EXT_LOG_MAX: a longer record does not come
  while (device_) {
    const auto got = read_some(device_.get(), record, sizeof record);
    if (got > 0)
      add_record({record, static_cast<std::size_t>(got)});
    else if (got == 0 || errno != EPIPE)  // EPIPE: records were overwritten, read on
      return;
  }
}

void KernelLog::add_record(std::string_view record) {
  constexpr std::string_view kPrefix = "sched_ext: ";
  int priority = 0;
  std::from_chars(record.data(), record.data() + record.size(), priority);
  const auto semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return;
  auto text = record.substr(semicolon + 1);
  text = text.substr(0, text.find('\n'));
  const bool is_ours = text.starts_with(kPrefix);
  // stack_trace_print() indents what belongs to the error before it.
  const bool is_frame = in_backtrace_ && text.starts_with("  ");
  in_backtrace_ = (is_ours && (priority & kLevelMask) <= kLevelError) || is_frame;
  if ((!is_ours && !is_frame) || lines_.size() == kMostLines) return;
  has_error_ = has_error_ || (is_ours && in_backtrace_);
  std::string line(text);
  for (auto& c : line)
    if (c < ' ' || c > '~') c = '?';
  lines_.push_back(std::move(line));
}

}  // namespace ktstr::engine::guest
