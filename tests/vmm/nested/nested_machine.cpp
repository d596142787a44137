#include "tests/vmm/nested/nested_machine.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "engine/kernels/kernel_store.h"
#include "engine/schedulers/closure.h"
#include "tests/temporary_directory.h"
#include "tests/vmm/nested/kvm_modules.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kDeadline = std::chrono::minutes(14);
constexpr const char* kLastLine = "\ninit: exit ";

/// With all that it needs to start.
Status add_program(std::vector<InitramfsFile>& files, const fs::path& program, const std::string& as) {
  const auto places = KTSTR_TRY(engine::LibraryPlaces::of_this_host());
  const auto closure = KTSTR_TRY(engine::resolve_closure(program, places));
  const auto add = [&](const std::string& path, const fs::path& file) {
    const auto same = [&](const InitramfsFile& other) { return other.path == path; };
    if (std::none_of(files.begin(), files.end(), same)) files.push_back({path, file});
  };
  add(as, closure.program);
  if (closure.interpreter) add(closure.interpreter->relative_path().string(), *closure.interpreter);
  for (const auto& library : closure.libraries) add("lib/" + library.soname, library.path);
  return ok();
}

Status add_programs(std::vector<InitramfsFile>& files, const NestedProgram& what) {
  KTSTR_TRY(add_program(files, what.program, "program"));
  for (const auto& tool : what.tools)
    KTSTR_TRY(add_program(files, tool, "usr/bin/" + tool.filename().string()));
  std::string command = "/program\n";
  for (const auto& argument : what.arguments) command += argument + "\n";
  const auto bytes = std::as_bytes(std::span(command));
  files.push_back({"command", std::vector(bytes.begin(), bytes.end())});
  return ok();
}

/// Numbered in the order in which they need one another.
Status add_modules(std::vector<InitramfsFile>& files, const engine::CachedKernel& kernel) {
  char number = '1';
  for (const auto& module : KTSTR_TRY(kvm_modules(kernel)))
    files.push_back({std::string("modules/") + number++ + "-" + module.filename().string(), module});
  return ok();
}

/// So that the program finds the same default kernel.
void add_kernel(std::vector<InitramfsFile>& files, const engine::CachedKernel& kernel) {
  const auto place = fs::path("root/.cache/ktstr/kernels") / kernel.directory.filename();
  for (const auto& file : fs::directory_iterator(kernel.directory))
    files.push_back({(place / file.path().filename()).string(), file.path(), 0644});
}

/// All that init writes, to its last line.
Result<std::string> read_output(const NestedProgram& what, Machine& machine) {
  std::string output;
  const auto deadline = Clock::now() + kDeadline;
  while (true) {
    const auto last = output.rfind(kLastLine);
    if (last != output.npos && output.ends_with('\n') && last + 1 < output.size() - 1) return output;
    pollfd ready{machine.channel_fd(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0)
      return Error{ErrorCode::kTimeout,
                   "the nested program did not end: " + output + machine.console_tail(30)};
    char bytes[4096];
    const auto count = ::recv(machine.channel_fd(), bytes, sizeof(bytes), 0);
    if (count <= 0) return Error{ErrorCode::kGuestFailed, output + machine.console_tail(30)};
    output.append(bytes, static_cast<std::size_t>(count));
    if (what.echo) std::fwrite(bytes, 1, static_cast<std::size_t>(count), stderr);
  }
}

}  // namespace

Result<NestedOutcome> run_nested(NestedProgram what) {
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  auto files = std::move(what.files);
  KTSTR_TRY(add_modules(files, kernel));
  add_kernel(files, kernel);
  KTSTR_TRY(add_programs(files, what));
  files.push_back({"init", fs::path(KTSTR_NESTED_INIT)});
  const ktstr::test::TemporaryDirectory directory;
  MachineConfig config;
  config.kernel_elf = kernel.elf;
  config.kernel_bzimage = kernel.bzimage;
  config.initramfs = directory.path() / "initramfs";
  KTSTR_TRY(write_initramfs(std::move(files), config.initramfs));
  config.topology = {1, 1, what.cpus, 1};
  config.memory = ByteSize{2048ULL << 20};
  config.nested_virtualization = true;
  config.kaslr = false;
  config.kernel_args = what.kernel_args;
  config.console_log = directory.path() / "console";
  const auto machine = KTSTR_TRY(start_qemu(config));
  auto output = KTSTR_TRY(read_output(what, *machine));
  const auto last = output.rfind(kLastLine);
  const int status = std::atoi(output.c_str() + last + std::string_view(kLastLine).size());
  output.erase(last);
  return NestedOutcome{status, std::move(output)};
}

}  // namespace ktstr::vmm
