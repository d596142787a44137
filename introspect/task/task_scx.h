// TaskScxReader: what the fields that sched_ext keeps of a task mean.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/scx/flag_names.h"
#include "introspect/scx/scx_layouts.h"
#include "introspect/task/enrichment.h"
#include "introspect/task/task_layouts.h"
#include "introspect/task/task_list.h"

namespace ktstr::introspect {

/// Names what stands in task_struct.scx. Must not outlive the Kernel's debug info.
class TaskScxReader {
 public:
  /// kNotFound: the kernel has no sched_ext.
  [[nodiscard]] static Result<TaskScxReader> create(const Kernel& kernel);

  /// Adds to what was read with `layout` the names of flags and states, the DSQ and the time of waiting.
  void complete(const Kernel& kernel, const TaskWalkerEntry& entry, const TaskLayout& layout,
                const StructBytes& bytes, TaskScxState& state) const;

 private:
  TaskScxReader() = default;
  void name_states(const Btf& btf);
  [[nodiscard]] std::optional<std::string> state_name(std::uint32_t flags) const;
  [[nodiscard]] std::optional<std::int64_t> runnable_for(const Kernel& kernel, const TaskWalkerEntry& entry,
                                                         std::optional<std::uint64_t> since) const;

  DsqLayout dsq_;
  FlagNames flags_;
  std::uint32_t state_mask_ = 0;
  std::map<std::uint32_t, std::string> states_;  ///< by the masked, unshifted bits of the flags
  std::vector<BtfEnumerator> ops_states_;
  std::optional<KernelVirt> jiffies_;
};

}  // namespace ktstr::introspect
