// ScxReader: the state of sched_ext, read out of a guest's memory.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/scx/flag_names.h"
#include "introspect/scx/scx_layouts.h"
#include "introspect/scx/scx_state.h"

namespace ktstr::introspect {

/// Tasks shown of one list or DSQ; a longer one is cut and marked.
inline constexpr std::size_t kMaxTasksPerList = 4096;
/// User DSQs shown of one scheduler.
inline constexpr std::size_t kMaxUserDsqs = 8192;
/// Places in queues looked at for one DsqWalk. A task is on one DSQ at most: no guest that works has so many.
inline constexpr std::size_t kMaxQueuedTasks = 65'536;

/// DSQs found, and why others were not.
struct DsqWalk {
  std::vector<DsqState> dsqs;
  std::vector<std::string> problems;
  std::size_t tasks = 0;  ///< places looked at; from kMaxQueuedTasks on, queues are cut
};

/// Everything of sched_ext at one instant. The field names are those of the dump.
struct ScxSnapshot {
  std::optional<ScxSchedState> scx_sched_state;
  std::vector<RqScxState> rq_scx_states;
  std::vector<DsqState> dsq_states;
  std::optional<std::string> scx_walker_unavailable;  ///< a kReason, or what the kernel lacks,
                                                      ///< or why the root scheduler is unknown
  std::vector<std::string> problems;                  ///< parts that could not be read, and why
};

/// Knows where a kernel build keeps things; holds nothing of a guest. Const use is thread-safe. Pass the
/// Kernel that it was made for, or another guest of the same build. On a running guest, lists may change
/// under the reader: stop the guest where the whole must be of one instant.
class ScxReader {
 public:
  /// kNotFound: the kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT), or not in a shape that is known.
  [[nodiscard]] static Result<ScxReader> create(const Kernel& kernel);

  /// The scheduler at `sched`. kOutOfRange: unreadable.
  [[nodiscard]] Result<ScxSchedState> read_sched(const Kernel& kernel, KernelVirt sched) const;
  /// CPU `cpu`'s run queue. kOutOfRange: no such CPU, or unreadable.
  [[nodiscard]] Result<RqScxState> read_rq(const Kernel& kernel, std::size_t cpu) const;
  /// The DSQs within all CPUs' run queues: local ones, which exist whether or not a scheduler is loaded, and
  /// the bypass, reject and rescue ones of kernels that have them there.
  [[nodiscard]] DsqWalk read_rq_dsqs(const Kernel& kernel) const;
  /// The DSQs of one scheduler: bypass ones of kernels that have them there, global ones by NUMA node, and
  /// those that the scheduler made itself.
  [[nodiscard]] DsqWalk read_sched_dsqs(const Kernel& kernel, KernelVirt sched) const;

  /// All of the above for the root scheduler. `keep_going` is asked between parts; once it says false, the
  /// rest stays empty.
  [[nodiscard]] ScxSnapshot read_all(
      const Kernel& kernel, const std::function<bool()>& keep_going = [] { return true; }) const;

 private:
  ScxReader() = default;

  [[nodiscard]] std::optional<std::string> unavailable(const ScxSnapshot& snapshot,
                                                       const std::optional<std::string>& unknown) const;
  void read_current_task(const Kernel& kernel, KernelVirt task, RqScxState& state) const;
  void read_runnable_list(const Kernel& kernel, KernelVirt rq, RqScxState& state) const;
  void read_dsq(const Kernel& kernel, KernelVirt dsq, std::string origin, DsqWalk& walk) const;
  void read_fifo(const Kernel& kernel, KernelVirt dsq, std::size_t cap, DsqState& state) const;
  void read_vtime_tree(const Kernel& kernel, KernelVirt dsq, std::size_t cap, DsqState& state) const;
  void read_global_dsqs(const Kernel& kernel, KernelVirt sched, DsqWalk& walk) const;
  void read_bypass_dsqs(const Kernel& kernel, KernelVirt sched, DsqWalk& walk) const;
  void read_user_dsqs(const Kernel& kernel, KernelVirt sched, DsqWalk& walk) const;

  ScxLayouts layouts_;
  std::vector<std::string> missing_groups_;  ///< that this kernel lacks, by the name of their structure
  KernelVirt root_;                          ///< variable scx_root
  std::optional<KernelVirt> bypass_depth_;   ///< variables of kernels where these are no members
  std::optional<KernelVirt> watchdog_timeout_;
  std::optional<KernelVirt> aborting_;
  std::optional<KernelVirt> enable_state_;
  std::optional<KernelVirt> nr_node_ids_;
  FlagNames rq_flags_;
};

}  // namespace ktstr::introspect
