#include "engine/guest/schedstat.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {
namespace {

constexpr char kSelf[] = "/proc/self/schedstat";

/// The next number of [at, end); `at` stands behind it then. False where there is none.
bool take_number(const char*& at, const char* end, std::uint64_t& number) {
  while (at < end && *at == ' ') ++at;
  const auto [next, error] = std::from_chars(at, end, number);
  at = next;
  return error == std::errc();
}

Fd open_schedstat(pid_t pid) {
  if (pid == 0) return Fd(::open(kSelf, O_RDONLY | O_CLOEXEC));
  char path[sizeof kSelf + 16] = "/proc/";
  auto* at = std::to_chars(path + std::strlen(path), path + sizeof path, pid).ptr;
  std::strcpy(at, "/schedstat");
  return Fd(::open(path, O_RDONLY | O_CLOEXEC));
}

}  // namespace

std::optional<Schedstat> read_schedstat(pid_t pid) {
  const auto file = open_schedstat(pid);
  char text[128];
  const auto size = file ? ::read(file.get(), text, sizeof text) : -1;
  if (size <= 0) return std::nullopt;
  Schedstat stat{};
  const char* at = text;
  for (auto* number : {&stat.cpu_time_ns, &stat.run_delay_ns, &stat.run_count})
    if (!take_number(at, text + size, *number)) return std::nullopt;
  if (stat.run_count == 0) return std::nullopt;
  return stat;
}

}  // namespace ktstr::engine::guest
