#include "engine/run/agent_initramfs.h"

#include <sys/mman.h>

#include <span>
#include <string>

#include "engine/guest/agent_image.h"
#include "vmm/initramfs.h"

namespace ktstr::engine {
namespace {

Status write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) return system_error("write the initramfs");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

}  // namespace

Result<AgentInitramfs> AgentInitramfs::create(std::vector<vmm::InitramfsFile> files) {
  const auto agent = agent_image();
  files.push_back({.path = "init", .content = std::vector(agent.begin(), agent.end())});
  const auto archive = KTSTR_TRY(vmm::build_initramfs(std::move(files)));
  Fd memory(::memfd_create("ktstr-initramfs", MFD_CLOEXEC));
  if (!memory) return system_error("memfd_create");
  KTSTR_TRY(write_all(memory.get(), archive));
  return AgentInitramfs(std::move(memory));
}

std::filesystem::path AgentInitramfs::path() const {
  return "/proc/self/fd/" + std::to_string(memory_.get());
}

}  // namespace ktstr::engine
