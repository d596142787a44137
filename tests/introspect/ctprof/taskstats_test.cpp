#include "introspect/ctprof/taskstats.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "tests/skip.h"

namespace ktstr::introspect::ctprof {
namespace {

/// A struct taskstats of `size` bytes in which each 64-bit word holds its own offset.
std::vector<std::byte> stats_of(std::uint16_t version, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t place = 0; place + 8 <= size; place += 8) {
    const std::uint64_t value = place;
    std::memcpy(bytes.data() + place, &value, sizeof(value));
  }
  if (size >= sizeof(version)) std::memcpy(bytes.data(), &version, sizeof(version));
  return bytes;
}

ThreadRecord parsed(std::uint16_t version, std::size_t size, const TaskstatsGates& gates = {}) {
  ThreadRecord record;
  parse_taskstats(stats_of(version, size), gates, record);
  return record;
}

}  // namespace

TEST_CASE("the newest struct has everything") {
  const auto record = parsed(16, 560);
  CHECK(record.cpu_delay_count == MonotonicCount{16});
  CHECK(record.irq_delay_total_ns == MonotonicNs{424});
  CHECK(record.cpu_delay_max_ns == PeakNs{432});
  CHECK(record.irq_delay_min_ns == PeakNs{552});
  CHECK(record.hiwater_rss_bytes == PeakBytes{200 * 1024});
}

TEST_CASE("older structs are shorter, newer ones longer") {
  const auto version_8 = parsed(8, 328);
  CHECK(version_8.freepages_delay_total_ns == MonotonicNs{320});
  CHECK(!version_8.thrashing_delay_count);
  CHECK(!version_8.cpu_delay_max_ns);
  const auto version_13 = parsed(13, 416);
  CHECK(version_13.wpcopy_delay_total_ns == MonotonicNs{408});
  CHECK(!version_13.irq_delay_count);
  CHECK(parsed(17, 688) == parsed(16, 560));
  CHECK(parsed(16, 0) == ThreadRecord{});
  CHECK(parsed(16, 21) == ThreadRecord{});
}

TEST_CASE("version 15 has the extremes behind the totals") {
  const auto record = parsed(15, 560);
  CHECK(record.cpu_delay_count == MonotonicCount{16});
  CHECK(record.cpu_delay_max_ns == PeakNs{32});
  CHECK(record.cpu_delay_min_ns == PeakNs{40});
  CHECK(record.blkio_delay_count == MonotonicCount{48});
  CHECK(record.hiwater_rss_bytes == PeakBytes{(200 + 48) * 1024});
  CHECK(record.irq_delay_count == MonotonicCount{416 + 7 * 16});
  CHECK(record.irq_delay_min_ns == PeakNs{552});
}

TEST_CASE("what the kernel does not count is absent, not 0") {
  const auto off = parsed(16, 560, {.cpu_delay = true, .delays = false, .xacct = false});
  CHECK(off.cpu_delay_count.has_value());
  CHECK(!off.blkio_delay_count);
  CHECK(!off.hiwater_vm_bytes);
}

TEST_CASE("a shortest delay and a memory peak of 0 stand for none") {
  ThreadRecord record;
  parse_taskstats(std::vector<std::byte>(560), {}, record);
  CHECK(record.blkio_delay_count == MonotonicCount{0});
  CHECK(record.blkio_delay_max_ns == PeakNs{0});
  CHECK(!record.blkio_delay_min_ns);
  CHECK(!record.hiwater_rss_bytes);
}

TEST_CASE("the kernel answers for this thread and not for one that is gone") {
  auto client = TaskstatsClient::open();
  if (!client) SKIP_TEST(client.error().message);
  TaskstatsSummary summary;
  ThreadRecord self, gone;
  self.tid = static_cast<std::uint32_t>(::gettid());
  client->query({}, self, summary);
  if (summary.eperm_count > 0) SKIP_TEST("no CAP_NET_ADMIN");
  gone.tid = 0x7ffffffe;
  client->query({}, gone, summary);
  CHECK(summary.ok_count == 1);
  CHECK(summary.esrch_count == 1);
  CHECK(self.cpu_delay_count.value_or(MonotonicCount{}).value > 0);
  CHECK(!gone.cpu_delay_count);
}

}  // namespace ktstr::introspect::ctprof
