#include "vmm/console.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include "engine/base/io.h"
#include "engine/base/utf8.h"

namespace ktstr::vmm {
namespace {

constexpr std::size_t kLineLimit = 4096;  // longer lines are judged by their beginning

}  // namespace

Result<std::unique_ptr<Console>> Console::open(Fd stream, const std::filesystem::path& log,
                                               std::uint64_t most_log_bytes) {
  Fd file;
  if (!log.empty()) {
    file = Fd(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) return system_error("open console log " + log.string());
  }
  return std::unique_ptr<Console>(
      new Console(std::move(stream), std::move(file), log.string(), most_log_bytes));
}

Console::Console(Fd stream, Fd log, std::string log_name, std::uint64_t most_log_bytes)
    : stream_(std::move(stream)),
      log_(std::move(log)),
      log_name_(std::move(log_name)),
      log_room_(most_log_bytes),
      reader_([this] { read_all(); }) {}

Console::~Console() {
  ::shutdown(stream_.get(), SHUT_RDWR);
  wait_end();
}

void Console::wait_end() {
  std::call_once(joined_, [this] { reader_.join(); });
}

void Console::read_all() {
  std::array<char, 4096> buffer;
  while (true) {
    const auto count = read_some(stream_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    keep({buffer.data(), static_cast<std::size_t>(count)});
  }
}

void Console::keep(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  keep_in_log(bytes);
  tail_.append(bytes);
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  scan(bytes);
}

void Console::keep_in_log(std::string_view bytes) {
  if (!log_) return;
  const bool fits = bytes.size() <= log_room_;
  const auto part = bytes.substr(0, fits ? bytes.size() : log_room_);
  if (auto written = write_log(part); !written) return end_log(std::move(written.error()));
  log_room_ -= part.size();
  if (fits) return;
  const auto limit =
      "the console log " + log_name_ + " has reached its limit: the console's later lines are not in it";
  static_cast<void>(write_log("\n[ktstr: " + limit + "]\n"));
  end_log({ErrorCode::kOutOfRange, limit});
}

Status Console::write_log(std::string_view bytes) {
  KTSTR_TRY(write_all(log_.get(), bytes), "console log " + log_name_);
  return ok();
}

void Console::end_log(Error why) {
  log_error_ = std::move(why);
  log_.reset();
}

void Console::scan(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte != '\n' && byte != '\r' && line_.size() < kLineLimit) line_ += byte;
    if (byte != '\n') continue;
    const auto kind = classify_console_line(line_);
    if (kind == ConsoleLineKind::kPanic && !findings_.panic)
      findings_.panic = valid_utf8(strip_printk_prefix(line_));
    if (kind == ConsoleLineKind::kEmulatorFault && !findings_.emulator_fault)
      findings_.emulator_fault = valid_utf8(strip_printk_prefix(line_));
    line_.clear();
  }
}

std::string Console::tail(std::size_t lines) const {
  const std::lock_guard lock(mutex_);
  return valid_utf8(last_lines(tail_, lines));
}

ConsoleFindings Console::findings() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

std::optional<Error> Console::log_error() const {
  const std::lock_guard lock(mutex_);
  return log_error_;
}

std::string last_lines(std::string_view text, std::size_t lines) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  auto begin = text.size();
  for (std::size_t i = 0; i < lines && begin > 0; ++i) {
    const auto newline = text.rfind('\n', begin - 1);
    begin = newline == text.npos ? 0 : newline;
  }
  if (lines == 0) return {};
  const bool at_newline = begin < text.size() && text[begin] == '\n';
  return std::string(text.substr(begin + (at_newline ? 1 : 0)));
}

}  // namespace ktstr::vmm
