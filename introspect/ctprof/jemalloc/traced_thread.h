// TracedThread: a thread of another process, stopped by ptrace(2) for a moment.
#pragma once

#include <sys/types.h>

#include "engine/base/address.h"
#include "introspect/ctprof/jemalloc/jemalloc_file.h"

namespace ktstr::introspect::ctprof {

using ProcessVirt = Address<struct ProcessVirtSpace>;  ///< a virtual address of a process on this machine

/// Stops a thread as a debugger that sends no signal does (PTRACE_SEIZE, PTRACE_INTERRUPT) and lets it go
/// again, as it was: running, stopped by a signal, or with a signal that came meanwhile. All
/// calls must be made by the one thread that stopped it; should the traced one never stop, it is let go when
/// that thread ends. A system call that waits is begun anew by the kernel, or ends with EINTR where it can't
/// be (signal(7)).
class TracedThread {
 public:
  /// It runs on, but its number is not given to another thread any more. Failures: kGone, kSeize.
  [[nodiscard]] static ProbeResult<TracedThread> seize(pid_t tid);

  TracedThread(TracedThread&& other) noexcept;
  TracedThread& operator=(TracedThread&& other) noexcept;
  ~TracedThread();

  [[nodiscard]] pid_t tid() const { return tid_; }
  /// Asks it to stop; it does as soon as it runs again. Failures: kGone, kInterrupt.
  [[nodiscard]] ProbeResult<void> interrupt();
  /// Whether it has; does not wait. Failure: kGone.
  [[nodiscard]] ProbeResult<bool> has_stopped();
  /// FS.base of the stopped thread. Failures: kGone, kRegisters, kArchitecture (it runs 32-bit code).
  [[nodiscard]] ProbeResult<ProcessVirt> thread_pointer() const;
  /// Lets it go, as the destructor does.
  void let_go();

 private:
  explicit TracedThread(pid_t tid) : tid_(tid) {}

  pid_t tid_ = 0;
  int signal_ = 0;  ///< to be delivered when it goes on
};

}  // namespace ktstr::introspect::ctprof
