// Wall-clock time for people and files.
#pragma once

#include <chrono>
#include <string>

namespace ktstr {

/// "2026-11-30T02:52:16Z" (RFC 3339).
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point time);

}  // namespace ktstr
