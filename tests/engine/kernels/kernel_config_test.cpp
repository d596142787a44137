#include "engine/kernels/kernel_config.h"

#include <doctest/doctest.h>

namespace ktstr::engine {

TEST_CASE("a configuration says how often the tick comes") {
  CHECK(
      tick_rate("# CONFIG_HZ_PERIODIC is not set\nCONFIG_HZ_250=y\nCONFIG_HZ=250\nCONFIG_SCHED_HRTICK=y\n") ==
      250U);
  CHECK(tick_rate("\nCONFIG_HZ=1000") == 1000U);
}

TEST_CASE("a configuration that says nothing of the tick, or nonsense, is not believed") {
  for (const char* text : {"", "CONFIG_HZ_250=y\n", "\nCONFIG_HZ=\n", "\nCONFIG_HZ=0\n", "\nCONFIG_HZ=1001\n",
                           "\nCONFIG_HZ=25x\n", "\nCONFIG_HZ=99999999999\n", "\n# CONFIG_HZ=250\n"}) {
    CAPTURE(text);
    CHECK_FALSE(tick_rate(text).has_value());
  }
}

}  // namespace ktstr::engine
