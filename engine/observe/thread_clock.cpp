#include "engine/observe/thread_clock.h"

#include <fcntl.h>

#include <array>
#include <charconv>
#include <string>

namespace ktstr::engine {

ThreadClock::ThreadClock(int tid)
    : file_(::open(("/proc/" + std::to_string(tid) + "/schedstat").c_str(), O_RDONLY | O_CLOEXEC)) {}

std::optional<std::uint64_t> ThreadClock::read() const {
  std::array<char, 96> text{};
  const auto length = ::pread(file_.get(), text.data(), text.size(), 0);
  if (length <= 0) return std::nullopt;
  std::uint64_t ns = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + length, ns);
  if (parsed.ec != std::errc()) return std::nullopt;
  return ns;
}

}  // namespace ktstr::engine
