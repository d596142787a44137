// PID 1 of a guest with scx_ktstr attached, which runs commands for the host: a line of words separated by
// tabs, answered with the number of bytes that the command wrote, on a line, and those bytes. What is no
// command begins with one of these words:
//   tasks        a line "TID NAME" for every thread in /proc
//   idle N       N processes that do nothing are there from now on; no text
//   time WORDS   runs a command with its output thrown away; the time it took by the guest's clock, ns
// How the scheduler is run is in /scheduler, as such a line.
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/channel_device.h"

namespace {

struct Child {
  pid_t pid = -1;
  int output = -1;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == '\t')
      words.emplace_back();
    else
      words.back() += c;
  }
  return words;
}

[[noreturn]] void execute(std::vector<std::string> words, int output) {
  dup2(output, 1);
  dup2(output, 2);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

Child start(const std::vector<std::string>& words) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) _exit(1);
  const Child child{fork(), ends[0]};
  if (child.pid == 0) execute(words, ends[1]);
  close(ends[1]);
  return child;
}

/// Everything the child writes, up to its end or until it has written `wanted` (unless that is empty).
std::string output_of(const Child& child, std::string_view wanted) {
  std::string text;
  char bytes[4096];
  for (ssize_t size; (size = read(child.output, bytes, sizeof(bytes))) > 0;) {
    text.append(bytes, static_cast<std::size_t>(size));
    if (!wanted.empty() && text.find(wanted) != std::string::npos) break;
  }
  return text;
}

void write_all(int channel, const std::string& bytes) {
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t size = write(channel, bytes.data() + written, bytes.size() - written);
    if (size > 0) written += static_cast<std::size_t>(size);
  }
}

std::string read_line(int channel) {
  std::string line;
  for (char byte = 0;;) {
    pollfd readable{channel, POLLIN, 0};
    poll(&readable, 1, -1);
    if (read(channel, &byte, 1) != 1) continue;
    if (byte == '\n') return line;
    line += byte;
  }
}

void answer(int channel, const std::string& text) {
  write_all(channel, std::to_string(text.size()) + "\n" + text);
}

std::string tasks() {
  std::string text;
  std::error_code gone;  // tasks end while they are listed
  for (const auto& process : std::filesystem::directory_iterator("/proc", gone)) {
    const std::filesystem::path threads = process.path() / "task";
    for (auto thread = std::filesystem::directory_iterator(threads, gone); !gone && thread != end(thread);
         thread.increment(gone)) {
      std::ifstream file(thread->path() / "comm");
      std::string name;
      if (std::getline(file, name)) text += thread->path().filename().string() + " " + name + "\n";
    }
  }
  return text;
}

std::string idle(const std::string& count) {
  for (int i = std::stoi(count); i > 0; --i)
    if (fork() == 0)
      for (;;) pause();
  return {};
}

/// Words instead of a number when the command failed.
std::string time(const std::vector<std::string>& words) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = fork();
  if (pid == 0) execute({words.begin() + 1, words.end()}, nowhere);
  int status = 0;
  waitpid(pid, &status, 0);
  const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - begin;
  close(nowhere);
  return status == 0 ? std::to_string(taken.count()) : "the command failed";
}

std::string run(const std::vector<std::string>& words) {
  const Child command = start(words);
  std::string text = output_of(command, "");
  close(command.output);
  waitpid(command.pid, nullptr, 0);
  return text;
}

std::string answer_to(const std::vector<std::string>& words) {
  if (words[0] == "tasks") return tasks();
  if (words[0] == "idle") return idle(words.at(1));
  return words[0] == "time" ? time(words) : run(words);
}

int open_channel() {
  for (;;) {
    const int channel = open(ktstr::vmm::kChannelDevices[0].data(), O_RDWR | O_CLOEXEC);
    if (channel >= 0) return channel;
    poll(nullptr, 0, 10);  // the port's driver is still looking for it
  }
}

}  // namespace

int main() {
  mount("proc", "/proc", "proc", 0, nullptr);
  mount("sys", "/sys", "sysfs", 0, nullptr);
  mount("dev", "/dev", "devtmpfs", 0, nullptr);
  mount("cgroup", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
  mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr);
  const int statistics = open("/proc/sys/kernel/bpf_stats_enabled", O_WRONLY | O_CLOEXEC);
  if (write(statistics, "1", 1) != 1) return 1;
  const int channel = open_channel();
  std::string command;
  std::getline(std::ifstream("/scheduler"), command);
  const Child scheduler = start(split(command));
  answer(channel, output_of(scheduler, "attached as"));
  for (;;) answer(channel, answer_to(split(read_line(channel))));
}
