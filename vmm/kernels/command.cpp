#include "vmm/kernels/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "engine/base/fd.h"
#include "engine/base/system_names.h"

namespace ktstr::vmm {
namespace {

constexpr std::size_t kMaxOutputBytes = 64 << 20;
constexpr std::size_t kMaxErrorBytes = 16 << 10;
constexpr int kCannotRun = 127;

struct Pipe {
  Fd read_end, write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* directory, int out,
                         int error, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotRun);  // it died before prctl
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (::chdir(directory) == 0 && ::dup2(nothing, 0) >= 0 && ::dup2(out, 1) >= 0 && ::dup2(error, 2) >= 0)
    ::execvpe(arguments[0], arguments, environment);
  const char* reason = ::strerrordesc_np(errno);
  [[maybe_unused]] const auto written = ::write(error, reason, ::strlen(reason));
  ::_exit(kCannotRun);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> c_locale_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view text = *variable;
    if (!text.starts_with("LC_") && !text.starts_with("LANG")) variables.emplace_back(text);
  }
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

/// A started child; killed, with its process group, and reaped when it is not waited for.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill(), wait();
  }

  void kill() const { ::kill(-pid_, SIGKILL), ::kill(pid_, SIGKILL); }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

/// Takes whole lines off what has come since `seen`.
void report_lines(const std::string& text, std::size_t& seen,
                  const std::function<void(std::string_view)>& on_line) {
  for (std::size_t end; (end = text.find('\n', seen)) != std::string::npos; seen = end + 1)
    on_line(std::string_view(text).substr(seen, end - seen));
}

/// Reads once; false at the end. Beyond `limit` bytes are dropped.
bool read_some(int fd, std::string& text, std::size_t limit) {
  std::array<char, 65536> buffer;
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  text.append(buffer.data(), std::min(static_cast<std::size_t>(size), limit - std::min(limit, text.size())));
  return size > 0;
}

struct Output {
  std::string out, error;
};

/// Reads both pipes to their ends; false when stopped before.
Result<bool> collect(const Command& command, Fd out, Fd error, int stop_event, Output& output) {
  std::size_t seen = 0;
  while (out || error) {
    pollfd fds[] = {{out.get(), POLLIN, 0}, {error.get(), POLLIN, 0}, {stop_event, POLLIN, 0}};
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) return system_error("poll");
    if (command.stop.stop_requested()) return false;
    if (fds[0].revents && !read_some(out.get(), output.out, kMaxOutputBytes)) out.reset();
    if (fds[1].revents && !read_some(error.get(), output.error, kMaxErrorBytes)) error.reset();
    report_lines(output.out, seen, command.on_line);
  }
  return true;
}

Status judge(const Command& command, int status, const std::string& error) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok();
  const std::string how = WIFSIGNALED(status) ? "was killed by " + signal_name(WTERMSIG(status))
                          : WEXITSTATUS(status) == kCannotRun
                              ? "can't be run"
                              : fmt::format("ended with status {}", WEXITSTATUS(status));
  const auto last = error.find_last_not_of('\n');
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} {}: {}", command.arguments[0], how,
                           last == std::string::npos ? "it gave no reason" : error.substr(0, last + 1))};
}

}  // namespace

Result<std::string> run_command(const Command& command) {
  auto arguments = command.arguments;
  auto environment = c_locale_environment();
  const auto argument_pointers = pointers(arguments);
  const auto environment_pointers = pointers(environment);
  auto out = KTSTR_TRY(make_pipe());
  auto error = KTSTR_TRY(make_pipe());
  const Fd stop_event(::eventfd(0, EFD_CLOEXEC));
  if (!stop_event) return system_error("eventfd");
  const std::stop_callback on_stop(command.stop, [&] { ::eventfd_write(stop_event.get(), 1); });

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0)
    become(argument_pointers.data(), environment_pointers.data(), command.directory.c_str(),
           out.write_end.get(), error.write_end.get(), parent);
  Child child(pid);
  out.write_end.reset();
  error.write_end.reset();

  Output output;
  const bool finished = KTSTR_TRY(
      collect(command, std::move(out.read_end), std::move(error.read_end), stop_event.get(), output));
  if (!finished) return Error{ErrorCode::kCancelled, command.arguments[0] + " was stopped"};
  KTSTR_TRY(judge(command, child.wait(), output.error));
  return std::move(output.out);
}

}  // namespace ktstr::vmm
