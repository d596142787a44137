// The system calls that threads which handle a guest's input are left with.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

/// What a thread does with its guest: the calls it needs are chosen by it.
enum class ConfinedThread {
  kVcpu,    ///< runs the guest (KVM_RUN) and its devices' registers
  kDevice,  ///< moves the bytes of a device's queues
};

/// Whether filters are there at all: not in builds with AddressSanitizer or ThreadSanitizer, whose runtimes
/// open files and make processes to report (and some to work).
extern const bool kThreadsAreConfined;

/// A seccomp filter, made where errors can be told and installed where they can't be. Allowed is what the
/// thread needs: its ioctls, moving bytes between descriptors that are open, memory (never executable),
/// locks, clocks, ending itself and aborting the process. Nothing that opens, makes or names anything.
///
/// A forbidden call traps: the process writes the thread's id and the call's number on stderr and aborts.
/// Killing it outright would be no safer, as the call is not made either way, and would not say which call it
/// was: a filter that has become too narrow is the likelier cause than a guest that broke out.
class SyscallFilter {
 public:
  /// Errors: kUnavailable when the kernel has no seccomp filters; kIo.
  [[nodiscard]] static Result<SyscallFilter> create(ConfinedThread kind);

  /// Confines the calling thread, for good, and forbids it to gain privileges (PR_SET_NO_NEW_PRIVS). Threads
  /// and processes that it makes would inherit both. Precondition: this process has made the filter.
  void confine_this_thread() const;

 private:
  std::vector<sock_filter> program_;
};

}  // namespace ktstr::vmm::kvm
