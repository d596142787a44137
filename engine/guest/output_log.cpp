#include "engine/guest/output_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace ktstr::engine::guest {

namespace {

/// JSON strings are UTF-8; output need not be.
char plain(char c) {
  return (c >= ' ' && c <= '~') || c == '\t' || c == '\n' ? c : '?';
}

}  // namespace

/// A former program that still prints keeps a file of its own, without a name.
OutputLog::OutputLog(const char* all, std::uint64_t most_bytes) : room_(most_bytes) {
  ::unlink(all);
  all_ = Fd(::open(all, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

/// Where it can't be kept, the last lines are all there is.
void OutputLog::keep_in_file(std::string_view text) {
  std::string bytes(text.substr(0, room_));
  if (!all_ || bytes.empty()) return;
  std::ranges::transform(bytes, bytes.begin(), plain);
  const auto written = ::write(all_.get(), bytes.data(), bytes.size());
  room_ = written == static_cast<ssize_t>(bytes.size()) ? room_ - bytes.size() : 0;
}

void OutputLog::append(std::string_view text) {
  keep_in_file(text);
  while (!text.empty()) {
    const auto end = text.find('\n');
    append_to_line(text.substr(0, end));
    if (end == std::string_view::npos) return;
    end_line();
    text.remove_prefix(end + 1);
  }
}

void OutputLog::append_to_line(std::string_view text) {
  const auto room = kLongestLine - std::min(kLongestLine, open_.size());
  open_is_cut_ = open_is_cut_ || text.size() > room;
  for (const char c : text.substr(0, room)) {
    if (c != '\r') open_ += plain(c);
  }
}

void OutputLog::end_line() {
  if (open_is_cut_) open_ += "...";
  if (!lines_.empty() && lines_.back().text == open_) {
    ++lines_.back().repeats;
  } else {
    lines_.push_back({std::move(open_), 0});
    if (lines_.size() > kMostLines) {
      dropped_ += 1 + lines_.front().repeats;
      lines_.pop_front();
    }
  }
  open_.clear();
  open_is_cut_ = false;
}

std::string OutputLog::Line::to_string() const {
  if (repeats == 0) return text;
  return text + " (repeated " + std::to_string(repeats) + (repeats == 1 ? " time more)" : " times more)");
}

std::vector<std::string> OutputLog::lines() const {
  std::vector<std::string> texts;
  for (const auto& line : lines_) texts.push_back(line.to_string());
  if (!open_.empty()) texts.push_back(open_);
  return texts;
}

}  // namespace ktstr::engine::guest
