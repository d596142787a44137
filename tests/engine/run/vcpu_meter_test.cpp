#include "engine/run/vcpu_meter.h"

#include <doctest/doctest.h>

#include "tests/engine/freeze/fake_machine.h"

using namespace ktstr;
using namespace ktstr::engine;

namespace {

/// Has done ten exits more at each reading, until it has ended.
class CountingMachine : public testing::FakeMachine {
 public:
  bool ended = false;

  CountingMachine() : FakeMachine(1) {}
  Result<vmm::MachineStatistics> statistics() override {
    if (ended) return Error{ErrorCode::kCancelled, "ended"};
    vmm::MachineStatistics statistics;
    statistics.vcpus.resize(1);
    statistics.vcpus[0].kvm.exits = exits_ += 10;
    return statistics;
  }

 private:
  std::uint64_t exits_ = 0;
};

}  // namespace

TEST_CASE("a meter gives what came between its beginning and its end") {
  CountingMachine machine;
  VcpuMeter meter(machine);
  meter.begin();
  const auto report = meter.end();
  REQUIRE(report.has_value());
  CHECK(report->vcpus.at(0).kvm.exits == 10);
}

TEST_CASE("a machine that counts nothing, or ended before the end, has nothing to show") {
  testing::FakeMachine silent(1);
  VcpuMeter none(silent);
  none.begin();
  CHECK_FALSE(none.end().has_value());
  CountingMachine machine;
  VcpuMeter meter(machine);
  meter.begin();
  machine.ended = true;
  CHECK_FALSE(meter.end().has_value());
}
