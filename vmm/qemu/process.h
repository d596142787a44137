// Process: a child that dies with us, whatever becomes of us.
#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/child.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

/// How a child ended.
struct ExitStatus {
  bool signalled = false;
  int code = 0;              ///< the signal number when signalled, else the exit code
  std::string error_output;  ///< the last kErrorOutputLimit bytes of its stderr
};

/// A child in a session of its own (a terminal's Ctrl-C is ours to handle), stdin and stdout on /dev/null.
/// The child gets SIGKILL when this process ends in any way: the thread of ours that it is tied to forks,
/// collects stderr and reaps, and lives as long as the child.
class Process {
 public:
  static constexpr std::size_t kErrorOutputLimit = 16 * 1024;

  /// Runs `argv` (argv[0] is a path). Of our descriptors the child has `inherited` alone, numbered from
  /// ChildPlan::kFirstInherited on in that order. Errors: start_child().
  [[nodiscard]] static Result<std::unique_ptr<Process>> spawn(std::vector<std::string> argv,
                                                              std::vector<int> inherited);

  ~Process();  ///< kills and reaps
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] int pid() const { return child_.pid; }
  /// Readable once the child has ended and exit_status() is there.
  [[nodiscard]] int exit_fd() const { return exit_event_.get(); }
  [[nodiscard]] std::optional<ExitStatus> exit_status() const;
  /// The signal that has stopped the child since the last call, if one did, even when it goes on by now (then
  /// SIGCONT). nullopt: it was not stopped.
  [[nodiscard]] std::optional<int> stop_signal() const;
  /// SIGKILL. Nothing when the child has ended already.
  void kill();

 private:
  Process() = default;
  /// Body of the thread: tells `started` how the start went, then follows the child to its end.
  void run(std::vector<std::string> argv, std::vector<int> inherited, std::promise<Status> started);
  void follow(Fd error_output);

  Child child_;
  Fd exit_event_;
  mutable std::mutex mutex_;
  std::optional<ExitStatus> status_;
  std::thread thread_;
};

}  // namespace ktstr::vmm::qemu
