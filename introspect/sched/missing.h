// MissingCapability: something that a guest's kernel does not let us see.
#pragma once

#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect {

struct MissingCapability {
  std::string capability;
  std::string reason;
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::MissingCapability> = record<introspect::MissingCapability>(
    "MissingCapability", "something that the guest's kernel does not let us see",
    field("capability", &introspect::MissingCapability::capability, "what is absent from the samples"),
    field("reason", &introspect::MissingCapability::reason, "why"));
}  // namespace ktstr
