// Deadlines, said as what is left until them.
#pragma once

#include <chrono>

namespace ktstr::test {

inline auto in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace ktstr::test
