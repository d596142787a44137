#include "engine/run/agent_initramfs.h"

#include "engine/base/io.h"
#include "engine/guest/agent_image.h"

namespace ktstr::engine {

Result<Fd> make_agent_initramfs(std::vector<vmm::InitramfsFile> files) {
  const auto agent = agent_image();
  files.push_back({.path = "init", .content = std::vector(agent.begin(), agent.end())});
  return make_memory_file("ktstr-initramfs", KTSTR_TRY(vmm::build_initramfs(std::move(files))));
}

}  // namespace ktstr::engine
