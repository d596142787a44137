#include "engine/guest/pinned_maps.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

#include <string>

namespace ktstr::engine::guest {

Status PinnedMaps::pin(std::uint32_t id) {
  if (maps_.contains(id)) return ok();
  bpf_attr attributes{};
  attributes.map_id = id;
  Fd map(static_cast<int>(::syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attributes, sizeof(attributes))));
  if (!map) return system_error("open the BPF map with id " + std::to_string(id));
  maps_.emplace(id, std::move(map));
  return ok();
}

}  // namespace ktstr::engine::guest
