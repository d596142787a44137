#include "tests/introspect/monitor/live_guest.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "engine/guest/agent_image.h"
#include "engine/kernels/kernel_store.h"
#include "engine/observe/machine_memory.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::introspect::test {
namespace {

constexpr Duration kBootDeadline = std::chrono::seconds(120);
constexpr Duration kFreezeDeadline = std::chrono::seconds(10);

}  // namespace

Result<std::unique_ptr<LiveGuest>> LiveGuest::boot(const vmm::Topology& topology,
                                                   const std::optional<std::string>& kernel,
                                                   std::vector<vmm::InitramfsFile> files) {
  std::unique_ptr<LiveGuest> guest(new LiveGuest());
  KTSTR_TRY(guest->start(topology, kernel, std::move(files)));
  return guest;
}

LiveGuest::~LiveGuest() {
  if (machine_) machine_->kill();
}

Status LiveGuest::start(const vmm::Topology& topology, const std::optional<std::string>& kernel,
                        std::vector<vmm::InitramfsFile> files) {
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto cached = KTSTR_TRY(store.resolve(kernel));
  const auto info = KTSTR_TRY(KernelDebugInfo::load(cached.symbols, cached.btf));
  const auto agent = engine::agent_image();
  files.push_back({.path = "init", .content = std::vector(agent.begin(), agent.end())});
  KTSTR_TRY(vmm::write_initramfs(std::move(files), folder_.path() / "initramfs"));
  machine_ = KTSTR_TRY(vmm::start_qemu({.kernel_elf = cached.elf,
                                        .kernel_bzimage = cached.bzimage,
                                        .initramfs = folder_.path() / "initramfs",
                                        .topology = topology,
                                        .memory = {512U << 20},
                                        .kernel_args = {"schedstats=enable"},
                                        .console_log = folder_.path() / "console.log"}));
  agent_.emplace(machine_->channel_fd());
  KTSTR_TRY(agent_->wait_hello(kBootDeadline));
  const auto frozen = KTSTR_TRY(machine_->freeze(kFreezeDeadline));
  KTSTR_TRY(machine_->thaw());
  memory_ = engine::machine_memory(*machine_);
  kernel_ = KTSTR_TRY(Kernel::attach(memory_, info, engine::cpu_contexts(frozen)));
  return ok();
}

}  // namespace ktstr::introspect::test
