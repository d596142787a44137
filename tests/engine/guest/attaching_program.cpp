// Plays a scheduler's program in front of a directory that plays /sys/kernel/sched_ext: it loads, attaches by
// bpf(BPF_LINK_CREATE), which the kernel refuses, and enables itself all the same.
//   attaching_program DIRECTORY NAME [fail]
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;

constexpr int kFailure = 5;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void say(const std::string& name, const std::string& what, const fs::path& directory) {
  const auto ops = first_line(directory / "root/ops");
  std::printf("%s %s while sched_ext is %s%s%s\n", name.c_str(), what.c_str(),
              first_line(directory / "state").c_str(), ops.empty() ? "" : " by ", ops.c_str());
  std::fflush(stdout);
}

void create_link() {
  struct {
    std::uint32_t map_fd = ~0U, target_fd = 0, attach_type = 44 /* BPF_STRUCT_OPS */, flags = 0;
    std::uint8_t rest[48] = {};
  } attributes;
  static_cast<void>(::syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const fs::path directory = argv[1];
  const std::string name = argv[2];
  sigset_t ending;
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ending, nullptr);
  say(name, "loads", directory);
  if (argc > 3) return kFailure;
  create_link();
  say(name, "attaches", directory);
  fs::create_directory(directory / "root");
  std::ofstream(directory / "root/ops") << name << "\n";
  std::ofstream(directory / "state") << "enabled\n";
  int signal = 0;
  ::sigwait(&ending, &signal);
  fs::remove_all(directory / "root");
  std::ofstream(directory / "state") << "disabled\n";
}
