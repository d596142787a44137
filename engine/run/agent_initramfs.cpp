#include "engine/run/agent_initramfs.h"

#include "engine/base/io.h"
#include "engine/guest/agent_image.h"
#include "vmm/initramfs.h"

namespace ktstr::engine {

Result<AgentInitramfs> AgentInitramfs::create(std::vector<vmm::InitramfsFile> files) {
  const auto agent = agent_image();
  files.push_back({.path = "init", .content = std::vector(agent.begin(), agent.end())});
  const auto archive = KTSTR_TRY(vmm::build_initramfs(std::move(files)));
  return AgentInitramfs(KTSTR_TRY(make_memory_file("ktstr-initramfs", archive)));
}

std::filesystem::path AgentInitramfs::path() const {
  return path_of(memory_.get());
}

}  // namespace ktstr::engine
