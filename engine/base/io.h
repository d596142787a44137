// Reading, writing and waiting until it is done: what a signal breaks off (EINTR) is begun anew.
#pragma once

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr {

/// What a system call gives once no signal breaks it off.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// read(2): what is there, at most `size` bytes. 0: the end. -1: errno.
[[nodiscard]] ssize_t read_some(int fd, void* to, std::size_t size);

/// Writes all of it. Errors: kIo, with how much was to be written and how much was.
[[nodiscard]] Status write_all(int fd, std::span<const std::byte> bytes);
[[nodiscard]] Status write_all(int fd, std::string_view text);
/// Writes all of it into a socket; a reader that is gone is an error, not a signal.
[[nodiscard]] Status send_all(int socket, std::string_view text);
/// Writes all of it at a place of a file: into a memfd that saves the faults that writing through a mapping
/// costs.
[[nodiscard]] Status write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
/// Fills `bytes` from a place of a file. For much at once it takes a quarter of the time of a copy from a
/// mapping whose pages nobody has touched. Errors: kIo, also when the file ends before.
[[nodiscard]] Status read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset);

struct FileText {
  std::string text;
  bool truncated = false;  ///< the file holds more than the limit
};
/// At most `limit` bytes of a file from `offset` on (none behind its end), which may be one of /proc or, with
/// no offset, a pipe: it is not waited for. Errors: kNotFound, kIo.
[[nodiscard]] Result<FileText> read_file(const std::filesystem::path& path, std::size_t limit,
                                         std::uint64_t offset = 0);
/// The same of an open file, from its beginning. `name` is for the error.
[[nodiscard]] Result<FileText> read_file(int fd, std::size_t limit, std::string_view name);

/// A file in memory that holds `bytes`; it stands behind them. Errors: kIo.
[[nodiscard]] Result<Fd> make_memory_file(const char* name, std::span<const std::byte> bytes);
/// What to open a descriptor's file by.
[[nodiscard]] std::string path_of(int fd);

using Deadline = std::chrono::steady_clock::time_point;
/// The end of time where a sum would be beyond it.
[[nodiscard]] Deadline deadline_after(Duration duration);

/// poll(2) until a moment that may have passed already (then it looks once). Gives how many are ready, 0 when
/// there are none in time, -1 and errno.
[[nodiscard]] int poll_until(std::span<pollfd> fds, Deadline deadline);
/// Whether there is something to read, or the end, until then. Not so when it can't be waited for.
[[nodiscard]] bool is_readable(int fd, Deadline deadline = {});

}  // namespace ktstr
