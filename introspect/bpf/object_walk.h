// BpfObjectWalk: what an IDR of BPF objects held, the entries that could not be believed included.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/address.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

/// An IDR entry that is no object of its kind.
struct BadBpfObject {
  std::uint64_t id = 0;  ///< its index in the IDR
  KernelVirt address;
  std::string reason;
};

/// The objects of an IDR, ascending by id.
template <class Info>
struct BpfObjectWalk {
  std::vector<Info> items;
  std::vector<BadBpfObject> bad;
  WalkEnd end = WalkEnd::kComplete;  ///< how the IDR itself ended
  std::string reason;                ///< what ended it early; "" when complete

  [[nodiscard]] bool complete() const { return end == WalkEnd::kComplete && bad.empty(); }
};

}  // namespace ktstr::introspect
