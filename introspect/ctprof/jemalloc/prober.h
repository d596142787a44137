// The prober: the process that looks at what belongs to other processes, and may die of it.
#pragma once

#include <chrono>
#include <filesystem>

#include "introspect/ctprof/jemalloc/probe_board.h"

namespace ktstr::introspect::ctprof {

/// What a prober that does not die ends with.
enum ProberExit : int {
  kAllProbed = 0,
  kLetGo = 1,  ///< there is more to do; its end was needed to let go of threads that did not stop
};

/// Makes a process of itself one that may die: without signals but SIGKILL, with bounded memory, the first to
/// go when memory is short, and not longer there than its parent.
void become_expendable();

/// Looks at all processes of the board that are open still, and reads their threads. In a process of its own,
/// which it ends. No time is spent on a process's files beyond `for_files`, and no thread is kept stopped for
/// more than 1 ms: this process ends then, and with a tracer's end the kernel lets go of what it traced.
[[noreturn]] void probe_and_exit(const std::filesystem::path& proc, std::span<const ProbedProcess> processes,
                                 std::span<const ThreadRecord> threads, std::chrono::milliseconds for_files,
                                 ProbeBoard& board);

}  // namespace ktstr::introspect::ctprof
