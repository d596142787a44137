// Whether a descriptor is readable now.
#pragma once

#include <poll.h>

namespace ktstr::vmm::test {

inline bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

}  // namespace ktstr::vmm::test
