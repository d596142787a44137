// Group: what the workers of one group share: a futex, a time stamp, and pipes between the two of a pair.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/base/pipe.h"

namespace ktstr::engine::guest {

/// Lies zeroed in shared memory; each on a cache line of its own.
struct GroupMemory {
  alignas(64) std::atomic<std::uint32_t> word;       ///< the futex: a turn, a round or a mutex
  alignas(64) std::atomic<std::uint64_t> posted_ns;  ///< when it was last posted, CLOCK_MONOTONIC
};

/// Made by the agent before it forks the group's workers. Each worker has a copy; the agent drops its own as
/// soon as they are forked, so that a pipe ends for the survivor when its partner does, and so that no later
/// worker inherits it.
class Group {
 public:
  /// `with_pipes`: for pairs. `memory` must outlive the group.
  [[nodiscard]] static Result<Group> create(GroupMemory& memory, bool with_pipes) {
    Group group(memory);
    if (!with_pipes) return group;
    for (auto& pipe : group.to_other_) pipe = KTSTR_TRY(make_pipe());
    return group;
  }

  [[nodiscard]] GroupMemory& memory() const { return *memory_; }
  /// What `member` (0 or 1) reads from and writes to; -1 without pipes.
  [[nodiscard]] int read_end(std::size_t member) const { return to_other_[1 - member].read_end.get(); }
  [[nodiscard]] int write_end(std::size_t member) const { return to_other_[member].write_end.get(); }

  /// The fds that a worker must keep open, -1 where it has none; every other end it must close, or it would
  /// not see its partner's end.
  [[nodiscard]] std::array<int, 2> ends_of(std::size_t member) const {
    if (member > 1) return {-1, -1};
    return {read_end(member), write_end(member)};
  }

 private:
  explicit Group(GroupMemory& memory) : memory_(&memory) {}

  GroupMemory* memory_;
  std::array<Pipe, 2> to_other_;  ///< by who writes
};

}  // namespace ktstr::engine::guest
