#include "tests/vmm/test_guest.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <fstream>

#include "engine/kernels/kernel_store.h"
#include "vmm/initramfs.h"
#include "vmm/qemu/version.h"

namespace ktstr::vmm {
namespace {

/// The archive, in a file of this process that goes with it.
std::filesystem::path test_initramfs() {
  static const auto path = [] {
    const auto file =
        std::filesystem::temp_directory_path() / ("ktstr-test-init-" + std::to_string(::getpid()));
    const auto written = write_initramfs({{"init", std::filesystem::path(KTSTR_TEST_INIT)}}, file);
    REQUIRE_MESSAGE(written.has_value(), written.error().message);
    std::atexit([] {
      std::filesystem::remove(std::filesystem::temp_directory_path() /
                              ("ktstr-test-init-" + std::to_string(::getpid())));
    });
    return file;
  }();
  return path;
}

/// Whether this host has what the backend needs.
Status find_backend() {
  if (kTestBackend == Backend::kKvm) {
    auto reason = why_no_kvm();
    return reason ? Status(Error{ErrorCode::kUnavailable, std::move(*reason)}) : ok();
  }
  const char* path = std::getenv("PATH");
  KTSTR_TRY(qemu::find_qemu(path ? path : ""));
  return ok();
}

}  // namespace

Result<MachineConfig> test_config(std::string_view topology) {
  KTSTR_TRY(find_backend());
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

std::optional<std::string> why_no_kvm() {
  const auto reason = why_not_kvm();
  return reason ? std::optional("no KVM that boots kernels: " + *reason) : std::nullopt;
}

std::vector<int> child_pids() {
  std::vector<int> pids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (int pid = 0; children >> pid;) pids.push_back(pid);
  }
  return pids;
}

Result<TestGuest> TestGuest::boot(const MachineConfig& config, std::chrono::seconds patience) {
  TestGuest guest(KTSTR_TRY(start_machine(config, kTestBackend)));
  guest.patience_ = patience;
  const auto line = guest.read_line();
  if (line && *line == "ready") return guest;
  const auto problem = line ? "init says \"" + *line + "\" instead of ready" : line.error().message;
  return Error{ErrorCode::kGuestFailed,
               problem + "; the console's end:\n" + guest.machine().console_tail(40)};
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
    const auto milliseconds = std::chrono::milliseconds(patience_).count();
    if (::poll(&ready, 1, static_cast<int>(milliseconds)) != 1)
      return Error{ErrorCode::kTimeout, machine_->console_tail(20)};
    if (::recv(machine_->channel_fd(), &byte, 1, 0) != 1)
      return Error{ErrorCode::kGuestFailed, "channel closed: " + machine_->console_tail(20)};
    line += byte;
  }
  line.pop_back();
  return line;
}

TestGuest boot(const MachineConfig& config, std::chrono::seconds patience) {
  auto guest = TestGuest::boot(config, patience);
  const auto failure = guest ? std::string() : guest.error().message;
  INFO(failure);
  REQUIRE(guest.has_value());
  return std::move(*guest);
}

MachineEvent wait_for_event(Machine& machine) {
  const auto event = machine.wait_event(std::chrono::seconds(60));
  const auto console = machine.console_tail(20);
  INFO(console);
  REQUIRE(event.has_value());
  return *event;
}

}  // namespace ktstr::vmm
