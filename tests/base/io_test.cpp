#include "engine/base/io.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <csignal>

#include "engine/base/pipe.h"
#include "tests/temporary_directory.h"

namespace ktstr {
namespace {

constexpr std::size_t kMuch = 1 << 20;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// While it lives, SIGALRM comes every ms and breaks system calls off.
class Interruptions {
 public:
  Interruptions() {
    struct sigaction action {};
    action.sa_handler = [](int) { ++count; };
    REQUIRE(::sigaction(SIGALRM, &action, &former_) == 0);
    set({{0, 1000}, {0, 1000}});
  }
  ~Interruptions() {
    set({});
    ::sigaction(SIGALRM, &former_, nullptr);
  }
  static inline std::atomic<int> count = 0;

 private:
  static void set(const itimerval& timer) { ::setitimer(ITIMER_REAL, &timer, nullptr); }
  struct sigaction former_ {};
};

}  // namespace

TEST_CASE("a call that a signal breaks off is made anew, and no other") {
  int calls = 0;
  CHECK(retry([&] {
          errno = EINTR;
          return ++calls < 3 ? -1 : 7;
        }) == 7);
  CHECK(calls == 3);
  CHECK(retry([&] {
          errno = EIO;
          ++calls;
          return -1;
        }) == -1);
  CHECK(calls == 4);
}

TEST_CASE("a write that fails tells what was asked and what was done") {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(write_all(full.get(), "abc").error().message == "write 3 bytes: No space left on device");
  const auto pipe = make_pipe().value();
  REQUIRE(::fcntl(pipe.write_end.get(), F_SETFL, O_NONBLOCK) == 0);
  const auto room = ::fcntl(pipe.write_end.get(), F_GETPIPE_SZ);
  CHECK(write_all(pipe.write_end.get(), std::string(kMuch, 'x')).error().message ==
        "write " + std::to_string(kMuch) + " bytes (" + std::to_string(room) +
            " done): Resource temporarily unavailable");
}

TEST_CASE("text for a reader that is gone is an error, not a signal") {
  auto ends = make_socket_pair().value();
  ends.theirs.reset();
  CHECK(send_all(ends.ours.get(), "abc").error().message == "send 3 bytes: Broken pipe");
}

TEST_CASE("what is written at a place is read there, and a file that ends before says where") {
  const auto file = make_memory_file("test", bytes_of("0123456789")).value();
  REQUIRE(write_at(file.get(), bytes_of("abc"), 8));
  std::array<char, 4> text{};
  REQUIRE(read_at(file.get(), std::as_writable_bytes(std::span(text)), 7));
  CHECK(std::string_view(text.data(), text.size()) == "7abc");
  CHECK(read_at(file.get(), std::as_writable_bytes(std::span(text)), 9).error().message ==
        "read 4 bytes (2 done): there are no more");
}

TEST_CASE("a file is read up to the limit, and one that holds more says so") {
  const test::TemporaryDirectory directory;
  const auto path = directory.write("a", "0123456789");
  CHECK(read_file(path, 10)->text == "0123456789");
  CHECK_FALSE(read_file(path, 10)->truncated);
  CHECK(read_file(path, 9)->text == "012345678");
  CHECK(read_file(path, 9)->truncated);
  CHECK(read_file(path, 0)->truncated);
  const auto large = directory.write("b", std::string(kMuch, 'x'));
  CHECK(read_file(large, SIZE_MAX)->text.size() == kMuch);
  CHECK(read_file("/proc/self/comm", 100)->text.ends_with('\n'));
}

TEST_CASE("a file that can't be read is named, and a pipe is not waited for") {
  const test::TemporaryDirectory directory;
  const auto missing = read_file(directory.path() / "none", 10);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message ==
        "open " + (directory.path() / "none").string() + ": No such file or directory");
  CHECK(read_file(directory.path(), 10).error().message ==
        "read " + directory.path().string() + ": Is a directory");
  const auto pipe = directory.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_file(pipe, 10)->text.empty());
}

TEST_CASE("an open file is read from its beginning, wherever it stands") {
  const auto file = make_memory_file("test", bytes_of("0123456789")).value();
  CHECK(read_file(file.get(), 100, "it")->text == "0123456789");
  CHECK(read_file(file.get(), 4, "it")->text == "0123");
  CHECK(read_file(path_of(file.get()), 100)->text == "0123456789");
  CHECK(read_file(-1, 4, "it").error().message == "read it: Bad file descriptor");
}

TEST_CASE("a wait goes on to its deadline, whatever signals come") {
  const auto pipe = make_pipe().value();
  const Interruptions interruptions;
  const auto deadline = deadline_after(std::chrono::milliseconds(20));
  CHECK_FALSE(is_readable(pipe.read_end.get(), deadline));
  CHECK(Deadline::clock::now() >= deadline);
  CHECK(Interruptions::count > 0);
}

TEST_CASE("what is ready is seen after the deadline too") {
  auto pipe = make_pipe().value();
  CHECK_FALSE(is_readable(pipe.read_end.get()));
  pipe.write_end.reset();
  CHECK(is_readable(pipe.read_end.get()));
  CHECK_FALSE(is_readable(-1));
}

TEST_CASE("a deadline beyond the end of time is the end of time") {
  CHECK(deadline_after(Duration(INT64_MAX)) == Deadline::max());
  CHECK(deadline_after(std::chrono::hours(1)) < Deadline::max());
}

}  // namespace ktstr
