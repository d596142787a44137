// What a guest boots into, held without leaving a file behind.
#pragma once

#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/initramfs.h"

namespace ktstr::engine {

/// The initramfs with the agent as its init and whatever else a run needs, in anonymous memory: nothing to
/// clean up, and nothing that two runs share. This process can open it as path_of() as long as the descriptor
/// is. Errors: kIo when there is no memory for it, or one of `files` can't be read; those of
/// vmm::build_initramfs.
[[nodiscard]] Result<Fd> make_agent_initramfs(std::vector<vmm::InitramfsFile> files = {});

}  // namespace ktstr::engine
