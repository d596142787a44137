#include "engine/guest/group.h"

namespace ktstr::engine::guest {

Result<Group> Group::create(GroupMemory& memory, bool with_pipes) {
  Group group(memory);
  if (!with_pipes) return group;
  for (std::size_t writer : {0, 1}) group.to_other_[writer] = KTSTR_TRY(make_pipe());
  return group;
}

std::array<int, 2> Group::ends_of(std::size_t member) const {
  if (member > 1) return {-1, -1};
  return {read_end(member), write_end(member)};
}

}  // namespace ktstr::engine::guest
