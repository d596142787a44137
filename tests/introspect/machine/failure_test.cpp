#include "introspect/machine/failure.h"

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

TEST_CASE("a kernel has panicked when a CPU has put its number down, CPU 0 included") {
  MachineGuest guest;
  const auto cpu = guest.add_symbol("panic_cpu", 4);
  guest.write(cpu, std::int32_t{-1});
  const auto kernel = guest.attach();
  CHECK(has_panicked(kernel) == false);
  guest.write(cpu, std::int32_t{0});
  CHECK(has_panicked(kernel) == true);
}

TEST_CASE("without panic_cpu nothing is known of a panic") {
  MachineGuest guest;
  CHECK_FALSE(has_panicked(guest.attach()).has_value());
}

}  // namespace ktstr::introspect::test
