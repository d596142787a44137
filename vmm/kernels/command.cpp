#include "vmm/kernels/command.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "engine/base/child.h"
#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "engine/base/system_names.h"

namespace ktstr::vmm {
namespace {

constexpr std::size_t kMaxOutputBytes = 64 << 20;
constexpr std::size_t kMaxErrorBytes = 16 << 10;

std::vector<std::string> c_locale_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view text = *variable;
    if (!text.starts_with("LC_") && !text.starts_with("LANG")) variables.emplace_back(text);
  }
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

/// Killed, with its process group, and reaped when it is not waited for.
class RunningCommand {
 public:
  explicit RunningCommand(Child child) : child_(std::move(child)) {}
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
  ~RunningCommand() {
    if (child_.pid < 0) return;
    ::kill(-child_.pid, SIGKILL);
    wait();
  }

  int wait() { return reap(std::exchange(child_.pid, -1)); }

 private:
  Child child_;
};

/// Takes whole lines off what has come since `seen`.
void report_lines(const std::string& text, std::size_t& seen,
                  const std::function<void(std::string_view)>& on_line) {
  for (std::size_t end; (end = text.find('\n', seen)) != std::string::npos; seen = end + 1)
    on_line(std::string_view(text).substr(seen, end - seen));
}

/// Reads once; false at the end. Beyond `limit` bytes are dropped.
bool take_some(int fd, std::string& text, std::size_t limit) {
  std::array<char, 65536> buffer;
  const auto size = read_some(fd, buffer.data(), buffer.size());
  if (size < 0) return false;
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
    if (poll_until(fds, Deadline::max()) < 0) return system_error("poll");
    if (command.stop.stop_requested()) return false;
    if (fds[0].revents && !take_some(out.get(), output.out, kMaxOutputBytes)) out.reset();
    if (fds[1].revents && !take_some(error.get(), output.error, kMaxErrorBytes)) error.reset();
    report_lines(output.out, seen, command.on_line);
  }
  return true;
}

Status judge(const Command& command, int status, const std::string& error) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok();
  const auto how = WIFSIGNALED(status) ? "was killed by " + signal_name(WTERMSIG(status))
                                       : fmt::format("ended with status {}", WEXITSTATUS(status));
  const auto last = error.find_last_not_of('\n');
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} {}: {}", command.arguments[0], how,
                           last == std::string::npos ? "it gave no reason" : error.substr(0, last + 1))};
}

}  // namespace

Result<std::string> run_command(const Command& command) {
  auto out = KTSTR_TRY(make_pipe());
  auto error = KTSTR_TRY(make_pipe());
  const Fd stop_event(::eventfd(0, EFD_CLOEXEC));
  if (!stop_event) return system_error("eventfd");
  const std::stop_callback on_stop(command.stop, [&] { ::eventfd_write(stop_event.get(), 1); });

  auto started = start_child({.arguments = command.arguments,
                              .environment = c_locale_environment(),
                              .directory = command.directory,
                              .output = out.write_end.get(),
                              .errors = error.write_end.get()});
  if (!started) return Error{ErrorCode::kUnavailable, std::move(started.error().message)};
  RunningCommand child(std::move(*started));
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
