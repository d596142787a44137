#include <doctest/doctest.h>

#include "tests/vmm/kvm/live/resources.h"
#include "tests/vmm/test_guest.h"

namespace ktstr::vmm {

TEST_CASE("20 machines, started and ended, leave no descriptor, thread or mapping") {
  TEST_CONFIG(config, "1n1l2c1t");
  const auto cycle = [&] { REQUIRE(start_machine(config, kTestBackend).has_value()); };
  cycle();  // what the C library keeps from the first time on
  const Resources before;
  for (int i = 0; i < 20; ++i) cycle();
  const Resources after;
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.threads == before.threads);
  CHECK(after.mappings <= before.mappings + 2);  // malloc's arenas come and go with threads
}

}  // namespace ktstr::vmm
