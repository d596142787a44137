#include "tests/truth/truth_machine.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <sstream>
#include <string_view>

#include "engine/observe/machine_memory.h"
#include "vmm/initramfs.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::truth {
namespace {

constexpr int kSilenceMs = 120'000;  ///< the guest is emulated, and the host may be busy
constexpr Duration kFreezeDeadline = std::chrono::seconds(10);
constexpr const char* kBpftool = "/usr/sbin/bpftool";

/// The shared libraries of a program of this host and their loader, each at its place.
std::vector<vmm::InitramfsFile> with_libraries(const std::string& program) {
  std::vector<vmm::InitramfsFile> files = {{program.substr(1), std::filesystem::path(program)}};
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("ldd " + program).c_str(), "r"), ::pclose);
  char line[4096];
  while (pipe && std::fgets(line, sizeof(line), pipe.get())) {
    std::istringstream words(line);
    for (std::string word; words >> word;)
      if (word.starts_with("/")) files.push_back({word.substr(1), std::filesystem::canonical(word)});
  }
  return files;
}

/// What truth_guest takes as a command.
std::string line_of(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line.append(line.empty() ? "" : "\t").append(word);
  return line + '\n';
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::optional<std::string> missing_for_truth() {
  if (!std::filesystem::exists(kBpftool)) return std::string("no ") + kBpftool;
  if (!std::filesystem::exists(SCX_KTSTR)) return std::string("scx_ktstr is not built");
  return std::nullopt;
}

Result<std::unique_ptr<TruthMachine>> TruthMachine::boot(const engine::CachedKernel& kernel,
                                                         const std::vector<std::string>& arguments) {
  std::unique_ptr<TruthMachine> guest(new TruthMachine());
  KTSTR_TRY(guest->start(kernel, arguments));
  return guest;
}

TruthMachine::~TruthMachine() {
  if (machine_) machine_->kill();
}

Status TruthMachine::start(const engine::CachedKernel& kernel, const std::vector<std::string>& arguments) {
  info_ = KTSTR_TRY(introspect::KernelDebugInfo::load(kernel.symbols, kernel.btf));
  auto files = with_libraries(kBpftool);
  files.push_back({"init", std::filesystem::path(TRUTH_GUEST)});
  files.push_back({"scx_ktstr", std::filesystem::path(SCX_KTSTR)});
  auto command = arguments;
  command.insert(command.begin(), "/scx_ktstr");
  files.push_back({"scheduler", bytes_of(line_of(command))});
  const auto initramfs = directory_.path() / "initramfs";
  KTSTR_TRY(vmm::write_initramfs(std::move(files), initramfs));
  machine_ = KTSTR_TRY(
      vmm::start_qemu({.kernel_elf = kernel.elf,
                       .kernel_bzimage = kernel.bzimage,
                       .initramfs = initramfs,
                       .topology = {.nodes = 2, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 1},
                       .memory = {512U << 20},
                       .kaslr = !kernel.bzimage.empty(),
                       .kernel_args = {},
                       .console_log = directory_.path() / "console.log"}));
  const std::string log = KTSTR_TRY(receive());
  if (log.find("attached as") != std::string::npos) return ok();
  return Error{ErrorCode::kGuestFailed, "scx_ktstr: " + log};
}

Result<std::string> TruthMachine::run(const std::vector<std::string>& words) {
  const std::string line = line_of(words);
  if (::write(machine_->channel_fd(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return system_error("send to the guest");
  return receive();
}

Result<std::string> TruthMachine::bpftool(std::vector<std::string> words) {
  words.insert(words.begin(), {kBpftool, "-j"});
  return run(words);
}

Result<Duration> TruthMachine::time_bpftool(std::vector<std::string> words) {
  words.insert(words.begin(), {"time", kBpftool, "-j"});
  const std::string answer = KTSTR_TRY(run(words));
  const auto ns = std::strtoll(answer.c_str(), nullptr, 10);
  if (ns > 0) return Duration(std::chrono::nanoseconds(ns));
  return Error{ErrorCode::kGuestFailed, "bpftool: " + answer};
}

Result<introspect::Kernel> TruthMachine::freeze() {
  const auto frozen = KTSTR_TRY(machine_->freeze(kFreezeDeadline));
  memory_ = engine::machine_memory(*machine_);
  return introspect::Kernel::attach(memory_, info_, engine::cpu_contexts(frozen));
}

Result<std::string> TruthMachine::receive() {
  std::size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) KTSTR_TRY(receive_more());
  const auto size = static_cast<std::size_t>(std::strtoull(received_.c_str(), nullptr, 10));
  while (received_.size() < end + 1 + size) KTSTR_TRY(receive_more());
  std::string text = received_.substr(end + 1, size);
  received_.erase(0, end + 1 + size);
  return text;
}

Status TruthMachine::receive_more() {
  pollfd channel{machine_->channel_fd(), POLLIN, 0};
  const int ready = ::poll(&channel, 1, kSilenceMs);
  if (ready < 0 && errno == EINTR) return ok();
  if (ready == 0) return Error{ErrorCode::kTimeout, "the guest is silent:\n" + machine_->console_tail(30)};
  char bytes[65536];
  const ssize_t size = ::read(channel.fd, bytes, sizeof(bytes));
  if (size <= 0) return Error{ErrorCode::kGuestFailed, "the guest is gone:\n" + machine_->console_tail(30)};
  received_.append(bytes, static_cast<std::size_t>(size));
  return ok();
}

}  // namespace ktstr::truth
