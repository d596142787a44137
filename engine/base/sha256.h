// SHA-256 (FIPS 180-4).
#pragma once

#include <string>
#include <string_view>

namespace ktstr {

/// The digest of `bytes` in 64 lower-case hexadecimal digits, as sha256sum(1) prints it.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace ktstr
