// PinnedMaps: BPF maps that the agent keeps alive.
#pragma once

#include <cstdint>
#include <map>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// Lets go of all of them when it is destroyed.
class PinnedMaps {
 public:
  /// Opens the map with this id. The descriptor is close-on-exec: the kernel makes all of BPF's so
  /// (bpf_map_new_fd(), kernel/bpf/syscall.c). Nothing to do for one that is held already. Errors: kNotFound,
  /// there is no such map; kIo.
  [[nodiscard]] Status pin(std::uint32_t id);

 private:
  std::map<std::uint32_t, Fd> maps_;
};

}  // namespace ktstr::engine::guest
