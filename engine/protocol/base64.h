// Bytes in a JSON string: base64 with padding (RFC 4648, 4).
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::engine::protocol {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

/// Errors (kCorrupt): a length that is no multiple of 4, a character of another alphabet, padding anywhere
/// but at the end, bits set that no byte has.
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

}  // namespace ktstr::engine::protocol
