// What the runner asks of the guest agent about BPF maps. Their contents it reads by itself, from outside.
#pragma once

#include <cstdint>

#include "engine/base/describe.h"
#include "engine/protocol/done.h"

namespace ktstr::engine::protocol {

/// Holds the map with this id until the session ends. Once more is no error. Answered by Done.
struct PinBpfMap {
  using Answer = Done;

  std::uint32_t id = 0;

  static consteval auto describe() {
    return record("pin_bpf_map", "keeps a BPF map alive until the session ends",
                  field<&PinBpfMap::id>("the kernel's id of the map"));
  }
};

}  // namespace ktstr::engine::protocol
