// captured(): a required field out of bytes that were captured with its layout.
#pragma once

#include "engine/base/check.h"
#include "introspect/layout.h"

namespace ktstr::introspect {

/// The field's value. Precondition: `bytes` were captured with the layout that `field` belongs to, and
/// successfully; then they hold every required field, whatever the guest wrote.
template <class T>
[[nodiscard]] T captured(const Field<T>& field, const StructBytes& bytes) {
  const auto value = field.read(bytes);
  KTSTR_CHECK(value.has_value());
  return *value;
}

}  // namespace ktstr::introspect
