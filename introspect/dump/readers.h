// DumpReaders: everything that a dump of one kernel reads with, made before the guest has to stand still.
#pragma once

#include "introspect/bpf/layouts.h"
#include "introspect/kernel.h"
#include "introspect/machine/cpu_time.h"
#include "introspect/machine/numa.h"
#include "introspect/machine/psi.h"
#include "introspect/runqueue/runqueue_reader.h"
#include "introspect/scx/exit_reader.h"
#include "introspect/scx/scx_reader.h"
#include "introspect/task/task_reader.h"

namespace ktstr::introspect {

/// A reader that this kernel has no place for holds the reason, and its section of a dump stays empty. Const
/// use is thread-safe.
struct DumpReaders {
  explicit DumpReaders(const Kernel& kernel)
      : bpf(BpfLayouts::resolve(kernel.btf())),
        scx(ScxReader::create(kernel)),
        exits(ScxExitReader::create(kernel)),
        runqueues(RunqueueReader::create(kernel)),
        tasks(TaskReader::create(kernel)),
        cpu_time(CpuTimeReader::create(kernel)),
        psi(PsiReader::create(kernel)),
        numa(NumaReader::create(kernel)) {}

  Result<BpfLayouts> bpf;
  Result<ScxReader> scx;
  Result<ScxExitReader> exits;
  Result<RunqueueReader> runqueues;
  Result<TaskReader> tasks;
  Result<CpuTimeReader> cpu_time;
  Result<PsiReader> psi;
  Result<NumaReader> numa;
};

}  // namespace ktstr::introspect
