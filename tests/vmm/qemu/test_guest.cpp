#include "tests/vmm/qemu/test_guest.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <fstream>

#include "engine/kernels/kernel_store.h"
#include "vmm/initramfs.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr int kAnswerMilliseconds = 120'000;

/// The archive, in a file of this process that goes with it.
std::filesystem::path test_initramfs() {
  static const auto path = [] {
    const auto file =
        std::filesystem::temp_directory_path() / ("ktstr-test-init-" + std::to_string(::getpid()));
    REQUIRE(write_initramfs({{"init", std::filesystem::path(KTSTR_TEST_INIT)}}, file).has_value());
    std::atexit([] {
      std::filesystem::remove(std::filesystem::temp_directory_path() /
                              ("ktstr-test-init-" + std::to_string(::getpid())));
    });
    return file;
  }();
  return path;
}

}  // namespace

Result<MachineConfig> test_config(std::string_view topology) {
  const char* path = std::getenv("PATH");
  KTSTR_TRY(find_qemu(path ? path : ""));
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  MachineConfig config;
  config.kernel_elf = kernel.elf;
  config.kernel_bzimage = kernel.bzimage;
  config.initramfs = test_initramfs();
  config.topology = KTSTR_TRY(Topology::parse(topology));
  config.memory = ByteSize{512ULL << 20};
  return config;
}

std::vector<int> child_pids() {
  std::vector<int> pids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (int pid = 0; children >> pid;) pids.push_back(pid);
  }
  return pids;
}

Result<TestGuest> TestGuest::boot(const MachineConfig& config) {
  TestGuest guest(KTSTR_TRY(start_qemu(config)));
  const auto line = KTSTR_TRY(guest.read_line());
  if (line != "ready") return Error{ErrorCode::kGuestFailed, "init says \"" + line + "\" instead of ready"};
  return guest;
}

Result<TestGuest> TestGuest::fork(const MachineSnapshot& snapshot, const std::filesystem::path& console_log) {
  return TestGuest(KTSTR_TRY(snapshot.fork(console_log)));
}

std::string TestGuest::ask(char request) {
  tell(request);
  const auto line = read_line();
  CHECK(line.has_value());
  return line.value_or("");
}

void TestGuest::tell(char request) {
  REQUIRE(::send(machine_->channel_fd(), &request, 1, MSG_NOSIGNAL) == 1);
}

Result<std::string> TestGuest::read_line() {
  std::string line;
  while (!line.ends_with('\n')) {
    pollfd ready{machine_->channel_fd(), POLLIN, 0};
    char byte = 0;
    if (::poll(&ready, 1, kAnswerMilliseconds) != 1)
      return Error{ErrorCode::kTimeout, machine_->console_tail(20)};
    if (::recv(machine_->channel_fd(), &byte, 1, 0) != 1)
      return Error{ErrorCode::kGuestFailed, "channel closed: " + machine_->console_tail(20)};
    line += byte;
  }
  line.pop_back();
  return line;
}

}  // namespace ktstr::vmm::qemu
