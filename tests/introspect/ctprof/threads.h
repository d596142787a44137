// Threads and captures put together by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "introspect/ctprof/compare/aggregate.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof::test {

/// A thread that began at tick 100 + tid.
inline ThreadRecord thread(std::uint32_t tid, const std::string& pcomm, const std::string& comm = "t") {
  ThreadRecord record;
  record.tid = tid;
  record.tgid = tid;
  record.pcomm = pcomm;
  record.comm = comm;
  record.start_time_clock_ticks = 100 + tid;
  return record;
}

/// A capture of one boot, `seconds` after it.
inline Snapshot snapshot(double seconds, std::vector<ThreadRecord> threads,
                         const std::string& boot = "boot") {
  Snapshot made;
  made.host.boot_id = boot;
  made.captured_at_boot_ns = static_cast<std::uint64_t>(seconds * 1e9);
  made.threads = std::move(threads);
  return made;
}

/// The value of a metric over these threads.
inline Aggregate aggregate_of(const char* metric, const std::vector<ThreadRecord>& threads) {
  std::vector<const ThreadRecord*> pointers;
  for (const auto& record : threads) pointers.push_back(&record);
  return aggregate(*find_metric(metric), pointers);
}

}  // namespace ktstr::introspect::ctprof::test
