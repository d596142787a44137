// AgentInitramfs: what a guest boots into, held without leaving a file behind.
#pragma once

#include <filesystem>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/initramfs.h"

namespace ktstr::engine {

/// The initramfs with the agent as its init and whatever else a run needs, in anonymous memory: nothing to
/// clean up, and nothing that two runs share.
class AgentInitramfs {
 public:
  /// Errors: kIo when there is no memory for it, or one of `files` can't be read; those of
  /// vmm::build_initramfs.
  [[nodiscard]] static Result<AgentInitramfs> create(std::vector<vmm::InitramfsFile> files = {});

  /// A name under which this process can open it, as long as this object lives.
  [[nodiscard]] std::filesystem::path path() const;

 private:
  explicit AgentInitramfs(Fd memory) : memory_(std::move(memory)) {}
  Fd memory_;
};

}  // namespace ktstr::engine
