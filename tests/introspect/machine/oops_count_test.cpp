#include "introspect/machine/oops_count.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/machine_guest.h"

namespace ktstr::introspect::test {

TEST_CASE("oopses are counted by the kernel's own counter") {
  MachineGuest guest;
  const auto counter = guest.add_symbol("die_counter", 4);
  const auto kernel = guest.attach();
  CHECK(oops_count(kernel) == 0U);
  guest.write(counter, std::uint32_t{2});
  CHECK(oops_count(kernel) == 2U);
}

TEST_CASE("without the counter nothing is known of oopses") {
  MachineGuest guest;
  CHECK_FALSE(oops_count(guest.attach()).has_value());
}

}  // namespace ktstr::introspect::test
