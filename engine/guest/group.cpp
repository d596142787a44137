#include "engine/guest/group.h"

#include <fcntl.h>
#include <unistd.h>

namespace ktstr::engine::guest {

Result<Group> Group::create(GroupMemory& memory, bool with_pipes) {
  Group group(memory);
  if (!with_pipes) return group;
  int to_second[2];
  int to_first[2];
  if (::pipe2(to_second, O_CLOEXEC) < 0) return system_error("pipe");
  group.read_ends_.resize(2);
  group.write_ends_.resize(2);
  group.read_ends_[1].reset(to_second[0]);
  group.write_ends_[0].reset(to_second[1]);
  if (::pipe2(to_first, O_CLOEXEC) < 0) return system_error("pipe");
  group.read_ends_[0].reset(to_first[0]);
  group.write_ends_[1].reset(to_first[1]);
  return group;
}

std::array<int, 2> Group::ends_of(std::size_t member) const {
  if (read_ends_.empty()) return {-1, -1};
  return {read_end(member), write_end(member)};
}

}  // namespace ktstr::engine::guest
