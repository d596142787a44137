// PinnedMaps: BPF maps that the agent keeps alive.
#pragma once

#include <linux/bpf.h>
#include <sys/syscall.h>

#include <cstdint>
#include <map>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// Lets go of all of them when it is destroyed.
class PinnedMaps {
 public:
  /// Opens the map with this id. The descriptor is close-on-exec: the kernel makes all of BPF's so
  /// (bpf_map_new_fd(), kernel/bpf/syscall.c). Nothing to do for one that is held already. Errors: kNotFound,
  /// there is no such map; kIo.
  [[nodiscard]] Status pin(std::uint32_t id) {
    if (maps_.contains(id)) return ok();
    bpf_attr attributes{};
    attributes.map_id = id;
    Fd map(static_cast<int>(::syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attributes, sizeof(attributes))));
    if (!map) return system_error("open the BPF map with id " + std::to_string(id));
    maps_.emplace(id, std::move(map));
    return ok();
  }

 private:
  std::map<std::uint32_t, Fd> maps_;
};

}  // namespace ktstr::engine::guest
