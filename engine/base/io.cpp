#include "engine/base/io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace ktstr {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Calls `transfer` with what is left and how much is done, until nothing is left.
template <class Byte, class Transfer>
Status transfer_all(std::string_view verb, std::span<Byte> bytes, Transfer transfer) {
  const auto what = [&](std::size_t done) {
    return fmt::format("{} {} bytes{}", verb, bytes.size(), done > 0 ? fmt::format(" ({} done)", done) : "");
  };
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = retry([&] { return transfer(bytes.subspan(done), done); });
    if (count < 0) return system_error(what(done));
    if (count == 0) return Error{ErrorCode::kIo, what(done) + ": there are no more"};
    done += static_cast<std::size_t>(count);
  }
  return ok();
}

template <class Read>
Result<FileText> read_text(std::size_t limit, std::string_view name, Read read) {
  constexpr std::size_t kLeastStep = 64 << 10;
  FileText content;
  auto& text = content.text;
  while (text.size() <= limit) {
    const auto done = text.size();
    text.resize(done + std::min(std::max(kLeastStep, done) - 1, limit - done) + 1);
    const auto got = retry([&] { return read(text.data() + done, text.size() - done, done); });
    if (got < 0) return system_error(fmt::format("read {}", name));
    text.resize(done + static_cast<std::size_t>(got));
    if (got == 0) return content;
  }
  text.resize(limit);
  content.truncated = true;
  return content;
}

}  // namespace

ssize_t read_some(int fd, void* to, std::size_t size) {
  return retry([&] { return ::read(fd, to, size); });
}

Status write_all(int fd, std::span<const std::byte> bytes) {
  return transfer_all("write", bytes,
                      [&](auto rest, std::size_t) { return ::write(fd, rest.data(), rest.size()); });
}

Status write_all(int fd, std::string_view text) {
  return write_all(fd, bytes_of(text));
}

Status send_all(int socket, std::string_view text) {
  return transfer_all("send", bytes_of(text), [&](auto rest, std::size_t) {
    return ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
  });
}

Status write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  return transfer_all("write", bytes, [&](auto rest, std::size_t done) {
    return ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

Status read_at(int fd, std::span<std::byte> bytes, std::uint64_t offset) {
  return transfer_all("read", bytes, [&](auto rest, std::size_t done) {
    return ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

Result<FileText> read_file(const std::filesystem::path& path, std::size_t limit, std::uint64_t offset) {
  // Some files of /proc would block until there is something to read, as pipes do.
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return system_error("open " + path.string());
  if (offset > 0 && ::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    return system_error("seek in " + path.string());
  return read_text(limit, path.native(),
                   [&](char* to, std::size_t size, std::size_t) { return ::read(file.get(), to, size); });
}

Result<FileText> read_file(int fd, std::size_t limit, std::string_view name) {
  return read_text(limit, name, [&](char* to, std::size_t size, std::size_t done) {
    return ::pread(fd, to, size, static_cast<off_t>(done));
  });
}

Result<Fd> make_memory_file(const char* name, std::span<const std::byte> bytes) {
  Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) return system_error("memfd_create");
  KTSTR_TRY(write_all(file.get(), bytes), name);
  return file;
}

std::string path_of(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

Deadline deadline_after(Duration duration) {
  const auto now = Deadline::clock::now();
  return duration.chrono() > Deadline::max() - now ? Deadline::max() : now + duration.chrono();
}

int poll_until(std::span<pollfd> fds, Deadline deadline) {
  using namespace std::chrono;
  return retry([&] {
    const auto left = std::max<nanoseconds>(deadline - Deadline::clock::now(), nanoseconds::zero());
    const auto whole = duration_cast<seconds>(left);
    const timespec time{whole.count(), nanoseconds(left - whole).count()};
    return ::ppoll(fds.data(), fds.size(), &time, nullptr);
  });
}

bool is_readable(int fd, Deadline deadline) {
  pollfd one{fd, POLLIN, 0};
  return poll_until(std::span(&one, 1), deadline) > 0;
}

}  // namespace ktstr
