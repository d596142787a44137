// same_type: whether two rendered values are of one type, whatever they hold.
#pragma once

#include "introspect/render/rendered_value.h"

namespace ktstr::introspect::test {

/// Whether `shown` is of the type that `model`, rendered from zeros, shows: kinds, widths, lengths, and the
/// names of structures and members at every level. What a pointer leads to is not compared: a null pointer
/// leads nowhere. A value cut at the limit of values is compared as far as it goes.
[[nodiscard]] bool same_type(const RenderedValue& model, const RenderedValue& shown);

}  // namespace ktstr::introspect::test
