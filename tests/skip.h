// SKIP_TEST: ends a test case as skipped, with the reason; ctest counts it as skipped.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

/// Use where the machine lacks what the test needs: `if (!have) SKIP_TEST("no cgroup v2 here");`
#define SKIP_TEST(reason)                                                                \
  do {                                                                                   \
    std::printf("[skipped] %s: %s\n", doctest::getContextOptions()->currentTest->m_name, \
                std::string(reason).c_str());                                            \
    return;                                                                              \
  } while (false)
