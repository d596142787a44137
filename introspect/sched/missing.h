// MissingCapability: something that a guest's kernel does not let us see.
#pragma once

#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect {

struct MissingCapability {
  std::string capability;
  std::string reason;

  static consteval auto describe() {
    using T = MissingCapability;
    return record("something that the guest's kernel does not let us see",
                  field<&T::capability>("what is absent from the samples"), field<&T::reason>("why"));
  }
};

}  // namespace ktstr::introspect
