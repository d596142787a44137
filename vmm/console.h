// Console: reads the guest's serial console, keeps it in a log file and the end of it in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// The first lines that tell of the guest's death, without printk's prefix.
struct ConsoleFindings {
  std::optional<std::string> panic;
  std::optional<std::string> emulator_fault;

  [[nodiscard]] bool any() const { return panic || emulator_fault; }
};

/// A thread reads `stream` to its end. Thread-safe.
class Console {
 public:
  static constexpr std::size_t kTailBytes = 256 * 1024;

  /// Appends to the file `log` (made if missing; none when empty). `on_finding` runs in the reading thread at
  /// the first line of each kind. Errors: kIo, kNotFound when the log can't be opened.
  [[nodiscard]] static Result<std::unique_ptr<Console>> open(Fd stream, const std::filesystem::path& log,
                                                             std::function<void()> on_finding);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// The last `lines` lines of what is kept, without trailing line end, as valid UTF-8.
  [[nodiscard]] std::string tail(std::size_t lines) const;
  [[nodiscard]] ConsoleFindings findings() const;
  /// The error that writing the log ran into, if any: the log ends there, reading goes on.
  [[nodiscard]] std::optional<Error> log_error() const;

  /// Blocks until the stream has ended and all of it is kept.
  void wait_end();

 private:
  Console(Fd stream, Fd log, std::function<void()> on_finding);
  void read_all();
  void keep(std::string_view bytes);
  void write_log(std::string_view bytes);
  bool scan(std::string_view bytes);

  Fd stream_;
  Fd log_;
  std::function<void()> on_finding_;
  mutable std::mutex mutex_;
  std::string tail_;
  std::string line_;  ///< the line that is not complete yet
  ConsoleFindings findings_;
  std::optional<Error> log_error_;
  std::once_flag joined_;
  std::thread reader_;
};

/// The last `lines` lines of `text`.
[[nodiscard]] std::string last_lines(std::string_view text, std::size_t lines);

}  // namespace ktstr::vmm
