// Taskstats: delays and memory peaks of a thread, asked over generic netlink
// (Documentation/accounting/taskstats.rst).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "engine/base/result.h"
#include "introspect/ctprof/host_context.h"
#include "introspect/ctprof/summaries.h"
#include "introspect/ctprof/thread_record.h"

namespace ktstr::introspect::ctprof {

/// Fills a record from a struct taskstats. What lies beyond its end (older versions are shorter) is absent,
/// as is what this kernel does not count; and 0 where that stands for nothing: a shortest delay of none,
/// memory of a thread that has none.
void parse_taskstats(std::span<const std::byte> bytes, const TaskstatsGates& gates, ThreadRecord& record);

/// A socket to the kernel. For one thread at a time.
class TaskstatsClient {
 public:
  /// Errors (kUnavailable): no such family (CONFIG_TASKSTATS), or no generic netlink.
  [[nodiscard]] static Result<TaskstatsClient> open();
  TaskstatsClient(TaskstatsClient&&) noexcept;
  TaskstatsClient& operator=(TaskstatsClient&&) noexcept;
  ~TaskstatsClient();

  /// Fills the record of the thread `record.tid`, or leaves it as it is. Counts the answer.
  void query(const TaskstatsGates& gates, ThreadRecord& record, TaskstatsSummary& summary);

 private:
  struct Socket;
  explicit TaskstatsClient(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

}  // namespace ktstr::introspect::ctprof
