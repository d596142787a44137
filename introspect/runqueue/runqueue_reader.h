// RunqueueReader: what runs and waits on each CPU, on kernels with sched_ext and without.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "introspect/kernel.h"
#include "introspect/machine/readings.h"
#include "introspect/runqueue/cpu_runqueue.h"
#include "introspect/runqueue/runqueue_layouts.h"

namespace ktstr::introspect {

/// Knows where a kernel build keeps things. Const use is thread-safe. Must not outlive the Kernel's debug
/// info.
class RunqueueReader {
 public:
  /// kNotFound: the kernel's BTF lacks a member without which no run queue can be told; the message names it.
  [[nodiscard]] static Result<RunqueueReader> create(const Kernel& kernel);

  /// One CPU's. kOutOfRange: its struct rq can't be read. What it leads to and can't be followed is told in
  /// `problems`. At most kMaxQueuedTasks tasks.
  [[nodiscard]] Result<CpuRunqueue> read(const Kernel& kernel, std::size_t cpu) const;

  /// Those of all possible CPUs, in order. `keep_going` is asked before each.
  [[nodiscard]] Readings<CpuRunqueue> read_all(
      const Kernel& kernel, const std::function<bool()>& keep_going = [] { return true; }) const;

 private:
  RunqueueReader() = default;
  void read_current(const Kernel& kernel, KernelVirt task, CpuRunqueue& queue) const;

  RunqueueLayouts layouts_;
  std::map<KernelVirt, std::string> classes_;  ///< "fair" ... by the address of its sched_class
};

}  // namespace ktstr::introspect
