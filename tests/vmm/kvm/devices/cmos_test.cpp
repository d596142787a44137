#include "vmm/kvm/devices/cmos.h"

#include <doctest/doctest.h>

#include "tests/vmm/kvm/devices/registers.h"

namespace ktstr::vmm::kvm {
namespace {

// 2038-01-19 03:14:07 UTC, a Tuesday.
std::chrono::system_clock::time_point fixed_time() {
  return std::chrono::system_clock::from_time_t(0x7fffffff);
}

std::uint8_t cmos_read(const test::Registers& ports, std::uint8_t index) {
  ports.out8(0, index);
  return ports.in8(1);
}

}  // namespace

TEST_CASE("the clock tells UTC in BCD") {
  Cmos cmos(fixed_time);
  const test::Registers ports(cmos);
  CHECK(cmos_read(ports, 0x00) == 0x07);
  CHECK(cmos_read(ports, 0x02) == 0x14);
  CHECK(cmos_read(ports, 0x04) == 0x03);
  CHECK(cmos_read(ports, 0x06) == 3);
  CHECK(cmos_read(ports, 0x07) == 0x19);
  CHECK(cmos_read(ports, 0x08) == 0x01);
  CHECK(cmos_read(ports, 0x09) == 0x38);
  CHECK(cmos_read(ports, 0x32) == 0x20);
}

TEST_CASE("the clock is valid, in 24-hour mode and never in the middle of an update") {
  Cmos cmos(fixed_time);
  const test::Registers ports(cmos);
  CHECK((cmos_read(ports, 0x0a) & 0x80) == 0);
  CHECK(cmos_read(ports, 0x0b) == 0x02);
  CHECK(cmos_read(ports, 0x0c) == 0);
  CHECK(cmos_read(ports, 0x0d) == 0x80);
}

TEST_CASE("the NMI bit is not part of the index, and data written is ignored") {
  Cmos cmos(fixed_time);
  const test::Registers ports(cmos);
  ports.out8(0, 0x80 | 0x0b);
  ports.out8(1, 0xff);
  CHECK(ports.in8(1) == 0x02);
  CHECK(cmos_read(ports, 0x40) == 0);
}

TEST_CASE("a restored clock keeps the index") {
  Cmos cmos(fixed_time), fresh(fixed_time);
  test::Registers(cmos).out8(0, 0x02);
  fresh.restore(cmos.state());
  CHECK(test::Registers(fresh).in8(1) == 0x14);
}

}  // namespace ktstr::vmm::kvm
