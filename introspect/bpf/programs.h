// All BPF programs of a guest, through prog_idr (kernel/bpf/syscall.c): what struct bpf_prog and bpf_prog_aux
// say, and the counters kept per CPU.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/describe.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

inline constexpr std::uint32_t kStructOpsProgType = 27;  // BPF_PROG_TYPE_STRUCT_OPS

struct BpfProgInfo {
  KernelVirt address;  ///< struct bpf_prog
  KernelVirt aux;      ///< struct bpf_prog_aux
  KernelVirt stats;    ///< per-CPU pointer to struct bpf_prog_stats; null: none
  std::uint32_t id = 0;
  std::string name;
  std::uint32_t type = 0;
  std::string type_name;  ///< "STRUCT_OPS": from enum bpf_prog_type, without its prefix
  std::optional<std::uint32_t> verified_insns;
  std::optional<std::uint32_t> jited_len;      ///< bytes
  std::optional<std::uint32_t> attach_btf_id;  ///< of a struct_ops program: the id of the operations' struct
  std::optional<KernelVirt> btf_kva;
};

/// What the verifier went through for one program.
struct ProgVerifierStats {
  std::string name;
  std::optional<std::uint32_t> verified_insns;

  static consteval auto describe() {
    using T = ProgVerifierStats;
    return record("what the verifier went through for one program", field<&T::name>("the program"),
                  field<&T::verified_insns>("instructions processed"));
  }
};

/// One program's counters, summed over all possible CPUs. All three are absent when any CPU's could not be
/// read. cnt and nsecs only count while kernel.bpf_stats_enabled is 1 and are absent while it is 0; misses
/// always count.
struct ProgRuntimeStats {
  std::string name;
  std::optional<std::uint64_t> cnt;
  std::optional<std::uint64_t> nsecs;
  std::optional<std::uint64_t> misses;

  /// nsecs / cnt; absent for a program that never ran.
  [[nodiscard]] std::optional<double> ns_per_call() const;
  /// misses / (cnt + misses): the share of calls that the recursion guard refused; absent without any.
  [[nodiscard]] std::optional<double> miss_rate() const;
  /// "select_cpu: cnt=12 nsecs=480 misses=1 ns/call=40.000 miss_rate=0.0769". ns/call only with calls,
  /// miss_rate only with misses; "NAME: misses=1 (calls are not counted: kernel.bpf_stats_enabled is 0)";
  /// "NAME: unreadable" without counters.
  [[nodiscard]] std::string to_text() const;

  static consteval auto describe() {
    using T = ProgRuntimeStats;
    return record("one program's counters, summed over all CPUs", field<&T::name>("the program"),
                  field<&T::cnt>("calls; null: not counted (kernel.bpf_stats_enabled is 0)"),
                  field<&T::nsecs>("time in the program in ns; null: not counted"),
                  field<&T::misses>("calls refused by the recursion guard"));
  }
};

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
