// Values are made printable where they become text.
#pragma once

#include "engine/base/make_printable.h"
#include "introspect/render/rendered_value.h"

namespace ktstr {

/// Not here: as long as it is a value, its bytes are what the guest had. introspect::to_text() escapes.
template <>
struct MakePrintable<introspect::RenderedValue> {
  static void apply(introspect::RenderedValue&) {}
};

}  // namespace ktstr
