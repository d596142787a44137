// PID 1 of the machine in which a test runs KVM: loads the modules below /modules in their order, runs
// /command with its output going to the channel, tells how that ended, and powers off.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "vmm/channel_device.h"

namespace {

namespace fs = std::filesystem;

void load_modules() {
  std::vector<fs::path> modules;
  for (const auto& file : fs::directory_iterator("/modules")) modules.push_back(file.path());
  std::sort(modules.begin(), modules.end());
  for (const auto& module : modules) {
    const int fd = ::open(module.c_str(), O_RDONLY | O_CLOEXEC);
    if (::syscall(SYS_finit_module, fd, "", 0) != 0)
      std::printf("init: %s: %s\n", module.c_str(), std::strerror(errno));
    ::close(fd);
  }
}

std::vector<std::string> read_lines(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Exit status as a shell tells it.
int run(std::vector<std::string> words) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    std::printf("init: %s: %s\n", arguments[0], std::strerror(errno));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The channel's node appears when its driver is done, of which nobody tells (engine/guest/channel.cpp).
void open_channel() {
  constexpr timespec kPollStep{0, 10'000'000};
  const std::string device(ktstr::vmm::kChannelDevices[0]);
  int fd = -1;
  for (int i = 0; i < 1000 && (fd = ::open(device.c_str(), O_RDWR)) < 0; ++i)
    ::nanosleep(&kPollStep, nullptr);
  for (const int target : {0, 1, 2}) ::dup2(fd, target);
  if (fd > 2) ::close(fd);
  std::setvbuf(stdout, nullptr, _IONBF, 0);
}

}  // namespace

int main() {
  ::mount("none", "/dev", "devtmpfs", 0, nullptr);
  ::mount("none", "/proc", "proc", 0, nullptr);
  ::mount("none", "/sys", "sysfs", 0, nullptr);
  if (fs::is_empty("/tmp"))  // else files of a source tree below /tmp are there
    ::mount("none", "/tmp", "tmpfs", 0, nullptr);
  open_channel();
  load_modules();
  ::setenv("HOME", "/root", 1);
  ::setenv("PATH", "/usr/bin:/bin", 1);
  ::setenv("LD_LIBRARY_PATH", "/lib", 1);
  const int status = run(read_lines("/command"));
  std::printf("\ninit: exit %d\n", status);
  ::sync();
  ::reboot(RB_POWER_OFF);
}
