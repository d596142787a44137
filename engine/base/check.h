// KTSTR_CHECK: an assertion about our own code that stays on in release builds.
#pragma once

#include <cstdio>
#include <cstdlib>

/// Aborts with the condition and its place when it does not hold. For bugs only; input is answered with
/// Result.
#define KTSTR_CHECK(condition)                                                                    \
  do {                                                                                            \
    if (!(condition)) [[unlikely]] {                                                              \
      std::fprintf(stderr, "%s:%d: internal check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)
