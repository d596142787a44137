// Console: reads the guest's serial console, keeps it in a log file and the end of it in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/console_line.h"

namespace ktstr::vmm {

/// A thread reads `stream` to its end. Thread-safe.
class Console {
 public:
  static constexpr std::size_t kTailBytes = 256 * 1024;
  /// What is appended to a log at the most: a guest may write without end.
  static constexpr std::uint64_t kMostLogBytes = 64 << 20;

  /// Appends to the file `log` (made if missing; none when empty). Errors: kIo, kNotFound when the log can't
  /// be opened.
  [[nodiscard]] static Result<std::unique_ptr<Console>> open(Fd stream, const std::filesystem::path& log,
                                                             std::uint64_t most_log_bytes = kMostLogBytes);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// The last `lines` lines of what is kept, without trailing line end, as valid UTF-8.
  [[nodiscard]] std::string tail(std::size_t lines) const;
  [[nodiscard]] ConsoleFindings findings() const;
  /// Why the log ends before the console does, if so: an error of writing it, or its limit. Reading goes on.
  [[nodiscard]] std::optional<Error> log_error() const;

  /// Blocks until the stream has ended and all of it is kept.
  void wait_end();

 private:
  Console(Fd stream, Fd log, std::string log_name, std::uint64_t most_log_bytes);
  void read_all();
  void keep(std::string_view bytes);
  void keep_in_log(std::string_view bytes);
  [[nodiscard]] Status write_log(std::string_view bytes);
  void end_log(Error why);
  void scan(std::string_view bytes);

  Fd stream_;
  Fd log_;
  const std::string log_name_;
  std::uint64_t log_room_;  ///< how much more the log may hold
  mutable std::mutex mutex_;
  std::string tail_;
  std::string line_;  ///< the line that is not complete yet
  ConsoleFindings findings_;
  std::optional<Error> log_error_;
  std::once_flag joined_;
  std::thread reader_;
};

/// Console::log_error() in a sentence.
[[nodiscard]] inline std::optional<std::string> log_problem(const Console& console) {
  const auto error = console.log_error();
  return error ? std::optional(error->message) : std::nullopt;
}

/// The last `lines` lines of `text`.
[[nodiscard]] std::string last_lines(std::string_view text, std::size_t lines);

}  // namespace ktstr::vmm
