#include "vmm/kvm/devices/power.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/vmm/kvm/devices/registers.h"

namespace ktstr::vmm::kvm {
namespace {

struct PowerFixture {
  std::vector<PowerRequest> requests;
  Power power{[this](PowerRequest request) { requests.push_back(request); }};
  test::Registers ports{power};
};

}  // namespace

TEST_CASE_FIXTURE(PowerFixture, "soft off is the sleep type of S5 together with the enable bit") {
  ports.out8(1, 0x80);  // the kernel clears the wake status first
  ports.out8(0, kSoftOffType << 2);
  CHECK(requests.empty());
  ports.out8(0, kSoftOffType << 2 | 0x20);
  CHECK(requests == std::vector{PowerRequest::kPowerOff});
}

TEST_CASE_FIXTURE(PowerFixture, "another sleep type is not soft off") {
  ports.out8(0, 1 << 2 | 0x20);
  ports.out8(1, kSoftOffType << 2 | 0x20);
  CHECK(requests.empty());
  CHECK(ports.in8(0) == 0);
}

TEST_CASE_FIXTURE(PowerFixture, "the reset register wants its value") {
  ports.out8(2, 0xff);
  CHECK(requests.empty());
  ports.out8(2, kResetValue);
  CHECK(requests == std::vector{PowerRequest::kReset});
}

TEST_CASE("pvpanic offers two events and reports those written") {
  std::vector<PanicEvent> events;
  Pvpanic pvpanic([&](PanicEvent event) { events.push_back(event); });
  const test::Registers port(pvpanic);
  CHECK(port.in8(0) == 3);
  port.out8(0, 0xf0);
  CHECK(events.empty());
  port.out8(0, 2);
  port.out8(0, 1);
  CHECK(events == std::vector{PanicEvent::kCrashLoaded, PanicEvent::kPanicked});
}

}  // namespace ktstr::vmm::kvm
