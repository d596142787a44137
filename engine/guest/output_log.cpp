#include "engine/guest/output_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::guest {

namespace {

constexpr std::uint64_t kAskEvery = 1U << 20;

/// JSON strings are UTF-8; output need not be.
char plain(char c) {
  return (c >= ' ' && c <= '~') || c == '\t' || c == '\n' ? c : '?';
}

}  // namespace

/// A former program that still prints keeps a file of its own, without a name.
OutputLog::OutputLog(const char* all, std::uint64_t most_bytes, std::function<bool()> has_room)
    : room_(most_bytes), has_room_(std::move(has_room)) {
  ::unlink(all);
  all_ = Fd(::open(all, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

/// Where it can't be kept, the last lines are all there is.
void OutputLog::keep_in_file(std::string_view text) {
  if (!all_) return;
  std::string bytes(text.substr(0, is_room_left(text.size()) ? room_ : 0));
  std::ranges::transform(bytes, bytes.begin(), plain);
  const bool is_cut = bytes.size() < text.size();
  const bool is_within_line = bytes.empty() ? !open_.empty() : bytes.back() != '\n';
  if (is_cut) bytes.append(is_within_line ? "\n" : "").append(protocol::kStartOutputCut);
  const auto written = ::write(all_.get(), bytes.data(), bytes.size());
  room_ -= std::min<std::uint64_t>(room_, bytes.size());
  if (is_cut || written != static_cast<ssize_t>(bytes.size())) all_ = Fd();
}

bool OutputLog::is_room_left(std::size_t bytes) {
  unasked_ += bytes;
  if (!has_room_ || unasked_ <= kAskEvery) return true;
  unasked_ = 0;
  return has_room_();
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
