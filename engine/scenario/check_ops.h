// What can be said of ops on BPF maps and captures before there is a guest.
#pragma once

#include <map>
#include <set>
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

/// The tags that ctprof ops have used so far: each names a file.
class CtprofTags {
 public:
  /// Checks that the tag can be in a file's name and was not used before.
  [[nodiscard]] ReadStatus add(const CtprofOp& op, const Place& place);

 private:
  std::set<std::string> used_;
};

/// Whether any step captures profiles of threads.
[[nodiscard]] bool captures_threads(const Scenario& scenario);

}  // namespace ktstr::engine
