// The tags of a scenario's captures.
#pragma once

#include <set>
#include <string>

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

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
