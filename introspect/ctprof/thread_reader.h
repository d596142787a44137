// ThreadReader: one worker's reading of one thread after another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "introspect/ctprof/file_reader.h"
#include "introspect/ctprof/host_context.h"
#include "introspect/ctprof/summaries.h"
#include "introspect/ctprof/taskstats.h"
#include "introspect/ctprof/thread_record.h"

namespace ktstr::introspect::ctprof {

/// Which thread, and its process's name.
struct ThreadId {
  std::int32_t tgid = 0;
  std::int32_t tid = 0;
  const std::optional<std::string>* pcomm = nullptr;
};

class ThreadReader {
 public:
  /// `proc`: the directory's descriptor, open as long as this is. `live`: whether system calls are asked too.
  ThreadReader(int proc, bool live, const TaskstatsGates& gates);

  /// The thread, or nothing when it was gone.
  [[nodiscard]] std::optional<ThreadRecord> read(const ThreadId& id);

  [[nodiscard]] const ParseTally& tally() const { return tally_; }
  /// Absent unless live.
  [[nodiscard]] const std::optional<TaskstatsSummary>& taskstats() const { return taskstats_summary_; }

 private:
  void read_files(const Fd& task, ThreadRecord& record);
  std::optional<std::string_view> text(const Fd& task, const char* name);

  int proc_;
  bool live_;
  TaskstatsGates gates_;
  FileReader files_;
  ParseTally tally_;
  std::optional<TaskstatsClient> taskstats_;
  std::optional<TaskstatsSummary> taskstats_summary_;
};

}  // namespace ktstr::introspect::ctprof
