#include "vmm/console.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "engine/base/utf8.h"
#include "vmm/console_line.h"

namespace ktstr::vmm {
namespace {

constexpr std::size_t kLineLimit = 4096;  // longer lines are judged by their beginning

}  // namespace

Result<std::unique_ptr<Console>> Console::open(Fd stream, const std::filesystem::path& log,
                                               std::function<void()> on_finding) {
  Fd file;
  if (!log.empty()) {
    file = Fd(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) return system_error("open console log " + log.string());
  }
  return std::unique_ptr<Console>(new Console(std::move(stream), std::move(file), std::move(on_finding)));
}

Console::Console(Fd stream, Fd log, std::function<void()> on_finding)
    : stream_(std::move(stream)),
      log_(std::move(log)),
      on_finding_(std::move(on_finding)),
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
    const auto count = ::read(stream_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    keep({buffer.data(), static_cast<std::size_t>(count)});
  }
}

void Console::keep(std::string_view bytes) {
  bool found = false;
  {
    const std::lock_guard lock(mutex_);
    write_log(bytes);
    tail_.append(bytes);
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
    found = scan(bytes);
  }
  if (found) on_finding_();
}

void Console::write_log(std::string_view bytes) {
  while (log_ && !bytes.empty()) {
    const auto count = ::write(log_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      log_error_ = system_error("write console log");
      log_.reset();
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Console::scan(std::string_view bytes) {
  const bool before = findings_.any();
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
  return !before && findings_.any();
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
