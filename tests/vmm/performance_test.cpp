#include "vmm/performance.h"

#include <doctest/doctest.h>

namespace ktstr::vmm {
namespace {

std::string refusal(const PerformanceOptions& options) {
  const auto status = check_performance(options);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kInvalidArgument);
  return status.error().message;
}

}  // namespace

TEST_CASE("priorities of SCHED_FIFO and what KVM takes for polling are accepted, others refused") {
  CHECK(check_performance({}).has_value());
  CHECK(check_performance({.realtime_priority = 1}).has_value());
  CHECK(check_performance({.realtime_priority = 99}).has_value());
  CHECK(refusal({.realtime_priority = 0}) == "realtime priority 0: SCHED_FIFO has 1 to 99");
  CHECK(refusal({.realtime_priority = 100}) == "realtime priority 100: SCHED_FIFO has 1 to 99");
  CHECK(check_performance({.halt_poll = Duration(0)}).has_value());
  CHECK(check_performance({.halt_poll = Duration(4294967295)}).has_value());
  CHECK(refusal({.halt_poll = Duration(4294967296)}) ==
        "halt polling of 4294967296ns: KVM takes 0s to 4294967295ns");
}

TEST_CASE("a guest is told of dedicated CPUs only when it has them") {
  CHECK(check_performance({.pin_vcpus = true, .realtime_priority = 1, .dedicated_cpus = true}).has_value());
  CHECK(refusal({.pin_vcpus = true, .dedicated_cpus = true}) ==
        "only vCPUs that are pinned and have realtime priority are dedicated");
}

TEST_CASE("a fork keeps what its guest was told and shares the rest with everybody") {
  const PerformanceOptions all{.pin_vcpus = true,
                               .realtime_priority = 5,
                               .dedicated_cpus = true,
                               .halt_poll = Duration(7),
                               .huge_pages = true,
                               .prefault = true};
  CHECK(performance_of_fork(all) == PerformanceOptions{.dedicated_cpus = true, .halt_poll = Duration(7)});
}

TEST_CASE("QEMU has the memory, and the rest is named") {
  CHECK(not_on_qemu({.huge_pages = true, .prefault = true}) == std::nullopt);
  CHECK(not_on_qemu({.pin_vcpus = true}) == "pinned vCPUs");
  CHECK(not_on_qemu({.realtime_priority = 1}) == "vCPUs with realtime priority");
  CHECK(not_on_qemu({.halt_poll = Duration(0)}) == "limits of halt polling");
}

}  // namespace ktstr::vmm
