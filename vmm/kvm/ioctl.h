// ioctl() with an Error that names the request.
#pragma once

#include <sys/ioctl.h>

#include "engine/base/io.h"

namespace ktstr::vmm::kvm {

/// The request's value; starts again where a signal came in between. Errors: system_error() with `name`.
template <class... Argument>
[[nodiscard]] Result<int> kvm_ioctl(int fd, unsigned long request, const char* name, Argument... argument) {
  const int value = retry([&] { return ::ioctl(fd, request, argument...); });
  if (value < 0) return system_error(name);
  return value;
}

}  // namespace ktstr::vmm::kvm
