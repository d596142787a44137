// SKIP_TEST: ends a test case as skipped, with the reason; ctest counts it as skipped.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

namespace ktstr {

/// What a test program ends with when every case that ran was skipped and nothing failed
/// (tests/CMakeLists.txt).
inline constexpr int kSkippedExitCode = 77;
/// Whether the case that runs was skipped, or a subcase of it.
inline bool case_skipped = false;

}  // namespace ktstr

/// Use where the machine lacks what the test needs: `if (!have) SKIP_TEST("no cgroup v2 here");`
#define SKIP_TEST(reason)                                                                \
  do {                                                                                   \
    std::printf("[skipped] %s: %s\n", doctest::getContextOptions()->currentTest->m_name, \
                std::string(reason).c_str());                                            \
    ktstr::case_skipped = true;                                                          \
    return;                                                                              \
  } while (false)
