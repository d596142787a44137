// All BPF programs of a guest, through prog_idr (kernel/bpf/syscall.c), and their counters.
#pragma once

#include <optional>
#include <vector>

#include "introspect/bpf/layouts.h"
#include "introspect/bpf/object_walk.h"
#include "introspect/bpf/prog_info.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

using ProgWalk = BpfObjectWalk<BpfProgInfo>;

/// Every program, ascending by id. An entry that is no program (unreadable, another id than its index, an aux
/// that belongs to another program) is in `bad`. Errors: no symbol prog_idr, no struct bpf_prog.
[[nodiscard]] Result<ProgWalk> list_bpf_programs(const Kernel& kernel, const BpfLayouts& layouts);

/// Sums `program`'s counters over the possible CPUs; sums stop at 2^64 - 1.
[[nodiscard]] ProgRuntimeStats read_runtime_stats(const Kernel& kernel, const BpfLayouts& layouts,
                                                  const BpfProgInfo& program);

/// The struct_ops programs among `programs`, in their order.
[[nodiscard]] std::vector<ProgRuntimeStats> struct_ops_runtime_stats(
    const Kernel& kernel, const BpfLayouts& layouts, const std::vector<BpfProgInfo>& programs);
[[nodiscard]] std::vector<ProgVerifierStats> struct_ops_verifier_stats(
    const std::vector<BpfProgInfo>& programs);

/// Whether cnt and nsecs count at this instant (bpf_stats_enabled_key); nullopt when that can't be read.
[[nodiscard]] std::optional<bool> run_time_stats_enabled(const Kernel& kernel);

}  // namespace ktstr::introspect
