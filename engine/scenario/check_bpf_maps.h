// What can be said of ops on BPF maps before there is a guest that has any.
#pragma once

#include <map>
#include <string>

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// Names that BPF can have, and a value that a variable can have: a boolean, number or text.
[[nodiscard]] ReadStatus check_write(const WriteBpfMapOp& op, const Place& place);
[[nodiscard]] ReadStatus check_read(const ReadBpfMapOp& op, const Place& place);

/// The names that pin_bpf_map has given so far.
class PinnedNames {
 public:
  /// Checks the op, and that it gives no name to a map while another bears it.
  [[nodiscard]] ReadStatus pin(const PinBpfMapOp& op, const Place& place);

 private:
  std::map<std::string, std::string> maps_;  ///< by the name given
};

}  // namespace ktstr::engine
