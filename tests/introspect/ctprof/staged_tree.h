// StagedTree: /proc, /sys and a cgroup hierarchy in a directory of a test's own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "introspect/ctprof/capture.h"
#include "tests/introspect/ctprof/sample_files.h"
#include "tests/temporary_directory.h"

namespace ktstr::introspect::ctprof::test {

class StagedTree {
 public:
  StagedTree() {
    std::filesystem::create_directories(proc());
    std::filesystem::create_directories(sys());
  }

  [[nodiscard]] std::filesystem::path proc() const { return directory_.path() / "proc"; }
  [[nodiscard]] std::filesystem::path sys() const { return directory_.path() / "sys"; }
  [[nodiscard]] std::filesystem::path task(int tgid, int tid) const {
    return proc() / std::to_string(tgid) / "task" / std::to_string(tid);
  }
  void write(const std::filesystem::path& name, std::string_view content) const {
    static_cast<void>(directory_.write(name, content));
  }
  void write_task(int tgid, int tid, const char* file, std::string_view content) const {
    write(std::filesystem::relative(task(tgid, tid), directory_.path()) / file, content);
  }

  /// A thread with all its files; the first of a process gives the process its name.
  void add_thread(int tgid, int tid, const std::string& name) const {
    if (tgid == tid) write("proc/" + std::to_string(tgid) + "/comm", name + "\n");
    write_task(tgid, tid, "comm", name + "\n");
    write_task(tgid, tid, "stat", kStat);
    write_task(tgid, tid, "schedstat", "100 200 3\n");
    write_task(tgid, tid, "status",
               "State:\tS (sleeping)\nThreads:\t2\nCpus_allowed_list:\t0-3\nvoluntary_ctxt_switches:\t5\n");
    write_task(tgid, tid, "io", "rchar: 10\nwchar: 20\n");
    write_task(tgid, tid, "sched", sched_file(kSchedLines, name));
    write_task(tgid, tid, "cgroup", "0::/work\n");
    write_task(tgid, tid, "smaps_rollup", "0-1 ---p 0 00:00 0 [rollup]\nRss:  100 kB\nPss:  50 kB\n");
  }

  [[nodiscard]] CaptureOptions options() const {
    CaptureOptions options;
    options.proc = proc();
    options.sys = sys();
    options.live = false;
    options.workers = 1;
    return options;
  }
  [[nodiscard]] Snapshot capture() const { return ctprof::capture(options()).value(); }

 private:
  ktstr::test::TemporaryDirectory directory_;
};

}  // namespace ktstr::introspect::ctprof::test
