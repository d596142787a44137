// PID 1 of a guest that runs scx_ktstr as the host says: a line "signal|itself<TAB>argument..." for each run,
// answered with texts that end with a line "." and numbers on a line (tests/bpf/scheduler_machine.cpp reads
// them).
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "vmm/channel_device.h"

using namespace ktstr;

namespace {

constexpr int kBusyProcesses = 4;
constexpr int kRunMs = 700;          // between attaching and SIGTERM
constexpr int kPauseUs = 5000;       // of a busy process
constexpr int kWorkRounds = 10'000;  // between two pauses

using Clock = std::chrono::steady_clock;

std::string read_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void mount_file_systems() {
  mount("proc", "/proc", "proc", 0, nullptr);
  mount("sys", "/sys", "sysfs", 0, nullptr);
  mount("dev", "/dev", "devtmpfs", 0, nullptr);
  mount("cgroup", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
}

/// Works a little, sleeps a little, and so leaves most of the emulated CPUs to the loader.
pid_t start_busy() {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_NAME, "busy");
  for (volatile unsigned round = 0;;) {
    round = round + 1;
    if (round % kWorkRounds == 0) usleep(kPauseUs);
  }
}

/// Field 39 of /proc/PID/stat, the CPU where the process ran last.
std::string last_cpu(pid_t pid) {
  std::istringstream fields(read_line_of("/proc/" + std::to_string(pid) + "/stat"));
  return *std::next(std::istream_iterator<std::string>(fields), 38);
}

struct Loader {
  pid_t pid = -1;
  Fd output;
};

Loader start_loader(std::vector<std::string> arguments) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) _exit(1);
  Loader loader{fork(), Fd(pipe_ends[0])};
  if (loader.pid != 0) {
    close(pipe_ends[1]);
    return loader;
  }
  dup2(pipe_ends[1], 1);
  dup2(pipe_ends[1], 2);
  std::vector<char*> argv = {const_cast<char*>("scx_ktstr")};
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv("/scx_ktstr", argv.data());
  _exit(127);
}

/// Reads until `text` holds `wanted` (with an empty one: until the end). Gives whether it came.
bool read_until(const Fd& output, std::string& text, const std::string& wanted) {
  char bytes[4096];
  for (ssize_t size; (size = read(output.get(), bytes, sizeof(bytes))) > 0;) {
    text.append(bytes, static_cast<std::size_t>(size));
    if (!wanted.empty() && text.find(wanted) != std::string::npos) return true;
  }
  return false;
}

/// The channel to the host.
class Host {
 public:
  explicit Host(Fd channel) : channel_(std::move(channel)) {}

  void line(const std::string& line) { write_all(line + "\n"); }
  void text(const std::string& text) { write_all(text + "\n.\n"); }

  /// The next line from the host; waits for it.
  std::string receive() {
    std::string line;
    for (char byte = 0;;) {
      pollfd readable{channel_.get(), POLLIN, 0};
      poll(&readable, 1, -1);
      if (read(channel_.get(), &byte, 1) != 1) continue;
      if (byte == '\n') return line;
      line += byte;
    }
  }

 private:
  void write_all(const std::string& bytes) {
    std::size_t written = 0;
    while (written < bytes.size()) {
      const ssize_t size = write(channel_.get(), bytes.data() + written, bytes.size() - written);
      if (size > 0) written += static_cast<std::size_t>(size);
    }
  }

  Fd channel_;
};

void run_scheduler(Host& host, const std::vector<pid_t>& busy, const std::string& end,
                   std::vector<std::string> arguments) {
  const auto begin = Clock::now();
  const Loader loader = start_loader(std::move(arguments));
  std::string output, state, ops, cpus;
  long attach_ms = 0;
  if (read_until(loader.output, output, "attached as")) {
    attach_ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
    state = read_line_of("/sys/kernel/sched_ext/state");
    ops = read_line_of("/sys/kernel/sched_ext/root/ops");
    if (end == "signal") {
      poll(nullptr, 0, kRunMs);
      for (const pid_t pid : busy) cpus += (cpus.empty() ? "" : " ") + last_cpu(pid);
      kill(loader.pid, SIGTERM);
    }
    read_until(loader.output, output, "");
  }
  int status = 0;
  waitpid(loader.pid, &status, 0);
  for (const auto& text : {output, state, ops, cpus, read_line_of("/sys/kernel/sched_ext/state")})
    host.text(text);
  host.line(std::to_string(attach_ms));
  host.line(std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1));
}

Fd open_channel() {
  for (;;) {
    Fd channel(open(vmm::kChannelDevices[0].data(), O_RDWR | O_CLOEXEC));
    if (channel) return channel;
    poll(nullptr, 0, 10);  // the port's driver is still looking for it
  }
}

}  // namespace

int main() {
  mount_file_systems();
  std::vector<pid_t> busy;
  for (int i = 0; i < kBusyProcesses; ++i) busy.push_back(start_busy());
  Host host(open_channel());
  host.line("ready");
  for (;;) {
    std::istringstream words(host.receive());
    std::string end;
    std::getline(words, end, '\t');
    std::vector<std::string> arguments;
    for (std::string word; std::getline(words, word, '\t');) arguments.push_back(word);
    run_scheduler(host, busy, end, std::move(arguments));
  }
}
