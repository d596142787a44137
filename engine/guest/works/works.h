// The work types' loops: one overload and one file for each type in the list of engine/scenario/work.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "engine/base/result.h"
#include "engine/guest/group.h"
#include "engine/guest/recorder.h"
#include "engine/guest/stop.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::guest {

struct WorkContext;

/// Declares the loop of each work type. It runs until asked to stop; what counts as a work unit and as an
/// iteration is said in the type's file, which defines it: a type without one does not link. Errors: a system
/// call that the type can't do without.
template <class W>
struct DeclaredLoop {
  friend Status run(const W& work, WorkContext context);
};
template <class Types>
struct DeclaredLoops;
template <class... W>
struct DeclaredLoops<std::variant<W...>> : DeclaredLoop<W>... {};

/// What a loop works with, and what it is found by.
struct WorkContext : DeclaredLoops<Work> {
  WorkContext(Recorder& its_recorder, Group& its_group, std::size_t its_member)
      : recorder(its_recorder), group(its_group), member(its_member) {}

  Recorder& recorder;
  Group& group;
  std::size_t member;  ///< place in the group, from 0
};

/// Burns CPU for so many loop turns.
inline void spin(std::uint32_t turns) {
  for (std::uint32_t i = 0; i < turns; ++i) asm volatile("" : : "r"(i));
}

/// Work units of so many loop turns and what comes with them: with no turns, that is one.
inline std::uint64_t units_of(std::uint64_t turns) {
  return turns == 0 ? 1 : turns;
}

/// Burns CPU until CLOCK_MONOTONIC is `end_ns` or it is asked to stop; counts a work unit for a thousand loop
/// turns.
void spin_until(Recorder& recorder, std::uint64_t end_ns);

}  // namespace ktstr::engine::guest
