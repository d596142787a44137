// /sys/devices/system/node/*/numastat against memory.
#include "introspect/machine/numa.h"
#include "tests/introspect/machine/live_checks.h"
#include "tests/introspect/machine/proc_files.h"

namespace ktstr::introspect::test {
namespace {

/// Whether nothing was allocated on the node meanwhile, so that its file must say the same.
bool node_agrees(LiveGuest& guest, const NumaReader& reader, std::uint32_t node) {
  const auto before = rows_of(reader.read(guest.kernel()));
  const auto said = numastat(guest.agent(), node);
  const auto after = rows_of(reader.read(guest.kernel()));
  REQUIRE(before.size() == kTopology.nodes);
  const auto& low = before[node];
  const auto& high = after[node];
  check_between(low.numa_hit, said.numa_hit, high.numa_hit);
  check_between(low.numa_miss, said.numa_miss, high.numa_miss);
  check_between(low.numa_foreign, said.numa_foreign, high.numa_foreign);
  check_between(low.numa_interleave_hit, said.numa_interleave_hit, high.numa_interleave_hit);
  check_between(low.numa_local, said.numa_local, high.numa_local);
  check_between(low.numa_other, said.numa_other, high.numa_other);
  if (low != high) return false;
  CHECK(said == low);
  return low.numa_hit > 0;
}

}  // namespace

void check_numa(LiveGuest& guest) {
  auto reader = NumaReader::create(guest.kernel());
  REQUIRE_MESSAGE(reader.has_value(), reader.error().message);
  bool agreed[2] = {};
  for (int i = 0; i < kAttempts && !(agreed[0] && agreed[1]); ++i)
    for (std::uint32_t node = 0; node < 2; ++node)
      agreed[node] = agreed[node] || node_agrees(guest, *reader, node);
  CHECK((agreed[0] || agreed[1]));
}

}  // namespace ktstr::introspect::test
