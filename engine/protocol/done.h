// Done: the answer to a request that only asks to be carried out.
#pragma once

#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

struct Done {
  static consteval auto describe() { return record<Done>("done", "the request was carried out"); }
};

}  // namespace ktstr::engine::protocol
