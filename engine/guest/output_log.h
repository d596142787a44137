// OutputLog: the last lines of a program's output, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {

/// Lines as they come in, in pieces of any size. A line that repeats the one before is counted instead of
/// kept: "message (repeated 41 times more)". Beyond the limits the oldest lines go, and long lines are cut.
class OutputLog {
 public:
  static constexpr std::size_t kMostLines = 400;
  static constexpr std::size_t kLongestLine = 1000;

  OutputLog() = default;
  /// Keeps all of it in the file `all` too, made anew, up to `most_bytes`, and as long as `has_room` says so,
  /// which is asked now and then.
  OutputLog(const char* all, std::uint64_t most_bytes, std::function<bool()> has_room = {});

  void append(std::string_view text);

  /// The kept lines, oldest first, an unfinished one included.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// Lines that came before those; repeats count.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Line {
    std::string text;
    std::uint64_t repeats = 0;
    [[nodiscard]] std::string to_string() const;
  };
  void append_to_line(std::string_view text);
  void end_line();
  void keep_in_file(std::string_view text);
  [[nodiscard]] bool is_room_left(std::size_t bytes);

  std::deque<Line> lines_;
  std::string open_;  ///< the line that has no end yet
  bool open_is_cut_ = false;
  std::uint64_t dropped_ = 0;
  Fd all_;
  std::uint64_t room_ = 0;     ///< bytes that still go there
  std::uint64_t unasked_ = 0;  ///< bytes that went there since has_room_ was asked
  std::function<bool()> has_room_;
};

}  // namespace ktstr::engine::guest
